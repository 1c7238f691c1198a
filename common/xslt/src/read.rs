//! From text to a tree: XML 1.0 with namespaces, and nothing from outside. Entities are bounded, and external ones are never
//! looked for.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use roxmltree::{Document, NodeType, ParsingOptions, TextPos};

use crate::{
    Failure, Mistake,
    budget::held,
    doctype::{self, Attributes},
    shape,
    tree::{Data, Id, Kind, Name, Text, Tree, XML},
    value::is_space,
};

/// The deepest element, as in libxml2.
pub const MAX_DEPTH: usize = 256;

/// A document as a tree, and where its elements stand in the text.
pub struct Read {
    pub tree: Tree,
    pub places: HashMap<Id, TextPos>,
}

/// Why a document was not read.
pub enum Unread {
    Mistake(Mistake),
    /// It takes more than can be held.
    Large,
}

impl From<Mistake> for Unread {
    fn from(mistake: Mistake) -> Self {
        Self::Mistake(mistake)
    }
}

impl From<Unread> for Failure {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Mistake(mistake) => Self::Document(mistake),
            Unread::Large => Self::limit("the document takes too much"),
        }
    }
}

/// Reads a document that takes at most so many bytes.
pub fn read(bytes: &[u8], memory: usize, keep_places: bool) -> Result<Read, Unread> {
    let text = decode(bytes)?;
    shape::check(&text)?;
    let nodes_limit = u32::try_from(memory / size_of::<Data>()).unwrap_or(u32::MAX - 1);
    let options = ParsingOptions { allow_dtd: true, nodes_limit, ..ParsingOptions::default() };
    let document = Document::parse_with_options(&text, options).map_err(|error| match error {
        roxmltree::Error::NodesLimitReached => Unread::Large,
        error => Unread::Mistake(Mistake::new(error.pos().row, error.pos().col, plain(&error))),
    })?;
    let (subset, _) = doctype::split(&text);
    let mut reader = Reader {
        text: &text,
        known: HashSet::new(),
        tree: Tree::default(),
        places: HashMap::new(),
        cursor: (0, TextPos::new(1, 1)),
        declared: doctype::attributes(subset),
    };
    reader.copy(&document, memory, keep_places)?;
    let Reader { mut tree, places, declared, .. } = reader;
    index_ids(&mut tree, &declared);
    tree.unparsed = doctype::unparsed_entities(subset);
    Ok(Read { tree, places })
}

/// The message without its position, which stands beside it.
fn plain(error: &roxmltree::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at ").map_or(text.clone(), |(text, _)| text.to_owned())
}

/// UTF-8, UTF-16 by its mark, or ISO-8859-1 where the declaration says so.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Mistake> {
    let wide = |order: fn([u8; 2]) -> u16| {
        let units = bytes[2..].chunks_exact(2).map(|pair| order([pair[0], pair[1]]));
        char::decode_utf16(units).collect::<Result<String, _>>().map(Cow::Owned)
    };
    let text = match bytes {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes).ok(),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes).ok(),
        _ => match encoding(bytes).as_deref() {
            None | Some("utf-8" | "utf-16") => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Some("iso-8859-1" | "latin1") => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
            Some("us-ascii" | "ascii") if bytes.is_ascii() => {
                std::str::from_utf8(bytes).ok().map(Cow::Borrowed)
            }
            Some(_) => {
                return Err(Mistake::new(1, 1, "has an encoding other than UTF-8, UTF-16 and ISO-8859-1"));
            }
        },
    };
    text.ok_or_else(|| Mistake::new(1, 1, "is not in the encoding that it says"))
}

/// The encoding that the declaration names, in lower case.
fn encoding(bytes: &[u8]) -> Option<String> {
    let head = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head = String::from_utf8_lossy(&head[..head.len().min(200)]).into_owned();
    let declaration = head.strip_prefix("<?xml")?.split("?>").next()?;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Some(value[1..].split(quote).next()?.to_ascii_lowercase())
}

struct Reader<'t> {
    text: &'t str,
    known: HashSet<Text>,
    tree: Tree,
    places: HashMap<Id, TextPos>,
    /// How far places were counted.
    cursor: (usize, TextPos),
    /// What the document type says of attributes.
    declared: HashMap<&'t str, Attributes<'t>>,
}

impl<'t> Reader<'t> {
    /// The line and column of an offset that is not before the last one. What comes from an entity stands where that is used.
    fn place(&mut self, offset: usize) -> TextPos {
        let (from, mut place) = self.cursor;
        for c in self.text.get(from..offset).unwrap_or_default().chars() {
            place = if c == '\n' {
                TextPos::new(place.row + 1, 1)
            } else {
                TextPos::new(place.row, place.col + 1)
            };
        }
        self.cursor = (from.max(offset), place);
        place
    }

    fn shared(&mut self, text: &str) -> Text {
        if let Some(known) = self.known.get(text) {
            return Text::clone(known);
        }
        let new: Text = text.into();
        self.tree.hold(text.len() + size_of::<Text>());
        self.known.insert(Text::clone(&new));
        new
    }

    /// A name as it stands in the text, which knows its prefix.
    fn name(&mut self, written: &str, local: &str, uri: Option<&str>) -> Name {
        let prefix = written.split_once(':').map_or("", |(prefix, _)| prefix);
        Name {
            prefix: self.shared(prefix),
            local: self.shared(local),
            uri: self.shared(uri.unwrap_or_default()),
        }
    }

    fn copy(&mut self, document: &Document<'t>, memory: usize, keep_places: bool) -> Result<(), Unread> {
        let text = self.text;
        let mut open = vec![(document.root().id(), 0)];
        for node in document.root().descendants().skip(1) {
            let parent = node.parent().map(|parent| parent.id());
            while open.last().is_some_and(|(id, _)| Some(*id) != parent) {
                open.pop();
            }
            // Entities may hold elements that were not seen before.
            if open.len() > MAX_DEPTH + 1 {
                return Err(Mistake::new(1, 1, format!("is nested more than {MAX_DEPTH} deep")).into());
            }
            if held() > memory {
                return Err(Unread::Large);
            }
            let place = open.last().map_or(0, |(_, id)| *id);
            match node.node_type() {
                NodeType::Element => {
                    let written = text.get(node.range().start + 1..).unwrap_or_default();
                    let end = written
                        .find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>'))
                        .unwrap_or(0);
                    let tag = node.tag_name();
                    let name = self.name(&written[..end], tag.name(), tag.namespace());
                    let id = self.tree.add(place, Kind::Element, Some(name), String::new());
                    if keep_places {
                        let at = self.place(node.range().start);
                        self.places.insert(id, at);
                    }
                    self.declarations(node, place, id);
                    for attribute in node.attributes() {
                        let written = text.get(attribute.range_qname()).unwrap_or_default();
                        let name = self.name(written, attribute.name(), attribute.namespace());
                        self.tree.set_attribute(id, name, attribute.value().to_owned());
                    }
                    self.defaults(&written[..end], id)?;
                    open.push((node.id(), id));
                }
                NodeType::Text if place != 0 => {
                    self.tree.add_text(place, Kind::Text, node.text().unwrap_or_default());
                }
                NodeType::Comment => {
                    let text = node.text().unwrap_or_default().to_owned();
                    self.tree.add(place, Kind::Comment, None, text);
                }
                NodeType::PI => {
                    let (target, value) =
                        node.pi().map_or(("", ""), |pi| (pi.target, pi.value.unwrap_or_default()));
                    if target.eq_ignore_ascii_case("xml") {
                        let at = document.text_pos_at(node.range().start);
                        return Err(Mistake::new(at.row, at.col, "an instruction cannot be named xml").into());
                    }
                    self.tree.add(place, Kind::Instruction, Some(Name::local(target)), value.to_owned());
                }
                NodeType::Text | NodeType::Root => {}
            }
        }
        Ok(())
    }

    /// Attributes that an element has because the document type says so.
    fn defaults(&mut self, written: &str, id: Id) -> Result<(), Mistake> {
        let Some(of) = self.declared.get(written) else { return Ok(()) };
        for (written, value) in of.defaults.clone() {
            let (prefix, local) = written.split_once(':').unwrap_or(("", written));
            let uri = match prefix {
                "" => Some("".into()),
                prefix => self.tree.namespace(id, prefix),
            };
            let Some(uri) = uri.filter(|_| local != "xmlns" && prefix != "xmlns" && !value.contains('&'))
            else {
                let message =
                    "gives by its document type what cannot be taken from there: namespaces or references";
                return Err(Mistake::new(1, 1, message));
            };
            if self.tree.attribute(id, &uri, local).is_none() {
                let name = Name { prefix: self.shared(prefix), local: self.shared(local), uri };
                self.tree.set_attribute(id, name, value.replace(is_space, " "));
            }
        }
        Ok(())
    }

    /// The namespaces that an element declares: those in its scope that are not so in its parent's.
    fn declarations(&mut self, node: roxmltree::Node<'_, 't>, parent: Id, id: Id) {
        let tag = self.text.get(node.range()).unwrap_or_default();
        let tag = &tag[..shape::tag_length(tag)];
        if !tag.contains("xmlns") {
            return;
        }
        let mut declared = Vec::new();
        for namespace in node.namespaces() {
            let (prefix, uri) = (namespace.name().unwrap_or_default(), namespace.uri());
            let outside = self.tree.namespace(parent, prefix);
            if uri != XML && outside.as_deref().unwrap_or_default() != uri {
                declared.push((self.shared(prefix), self.shared(uri)));
            }
        }
        // A default that is taken back is in nobody's list.
        let has_default =
            node.namespaces().any(|namespace| namespace.name().is_none() && !namespace.uri().is_empty());
        if !has_default && self.tree.namespace(parent, "").is_some_and(|uri| !uri.is_empty()) {
            declared.push(("".into(), "".into()));
        }
        self.tree.hold(declared.len() * size_of::<(Text, Text)>());
        self.tree.get_mut(id).namespaces = declared;
    }
}

fn index_ids(tree: &mut Tree, declared: &HashMap<&str, Attributes<'_>>) {
    let mut ids = HashMap::new();
    for id in tree.descendants(0).filter(|id| tree.get(*id).kind == Kind::Element) {
        let element = tree.get(id).name.as_ref().map(Name::qualified).unwrap_or_default();
        let of_type = declared.get(element.as_str()).and_then(|of| of.id).and_then(|attribute| {
            let mut own = tree.get(id).attributes.iter().map(|id| tree.get(*id));
            let is_it = |data: &&Data| data.name.as_ref().is_some_and(|name| name.qualified() == attribute);
            own.find(is_it).map(|data| data.value.as_str())
        });
        if let Some(value) = of_type.or_else(|| tree.attribute(id, XML, "id")) {
            ids.entry(value.trim().to_owned()).or_insert(id);
        }
    }
    tree.ids = ids;
}
