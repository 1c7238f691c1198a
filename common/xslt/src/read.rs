//! From text to a tree: XML 1.0 with namespaces, and nothing from outside. Entities are bounded, and external ones are never
//! looked for.

use std::{borrow::Cow, collections::HashMap};

use roxmltree::{Document, NodeType, ParsingOptions, TextPos};

use crate::{
    Mistake,
    doctype::{check_entities, declared_ids, unparsed_entities},
    tree::{Id, Kind, Name, Text, Tree, XML},
};

/// The deepest element, as in libxml2.
pub const MAX_DEPTH: usize = 256;

/// A document as a tree, and where its elements stand in the text.
pub struct Read {
    pub tree: Tree,
    pub places: HashMap<Id, TextPos>,
}

/// Reads a document.
pub fn read(bytes: &[u8], keep_places: bool) -> Result<Read, Mistake> {
    let text = decode(bytes)?;
    check_depth(&text)?;
    check_entities(&text)?;
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let document = Document::parse_with_options(&text, options)
        .map_err(|error| Mistake::new(error.pos().row, error.pos().col, plain(&error)))?;
    let mut reader =
        Reader { text: &text, known: HashMap::new(), tree: Tree::default(), places: HashMap::new() };
    reader.copy(&document, keep_places);
    let ids = declared_ids(&text);
    let Reader { mut tree, places, .. } = reader;
    index_ids(&mut tree, &ids);
    tree.unparsed = unparsed_entities(&text);
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
    let quote = value.chars().next()?;
    Some(value[1..].split(quote).next()?.to_ascii_lowercase())
}

/// Refuses what is nested too deeply, before anything follows it down.
fn check_depth(text: &str) -> Result<(), Mistake> {
    let (mut depth, mut rest, mut offset) = (0_usize, text, 0);
    while let Some(at) = rest.find('<') {
        let tag = &rest[at..];
        let skip = |end: &str| tag.find(end).map_or(tag.len(), |length| length + end.len());
        let length = if tag.starts_with("<!--") {
            skip("-->")
        } else if tag.starts_with("<![CDATA[") {
            skip("]]>")
        } else if tag.starts_with("<?") {
            skip("?>")
        } else if tag.starts_with("</") {
            depth = depth.saturating_sub(1);
            2
        } else if tag.starts_with("<!") {
            2
        } else {
            let length = tag_length(tag);
            depth += usize::from(!tag[..length].ends_with("/>"));
            length
        };
        if depth > MAX_DEPTH {
            let line = text[..offset + at].matches('\n').count() as u32 + 1;
            return Err(Mistake::new(line, 1, format!("is nested more than {MAX_DEPTH} deep")));
        }
        offset += at + length;
        rest = text.get(offset..).unwrap_or_default();
    }
    Ok(())
}

/// The length of a start tag; a `>` in a value does not end it.
fn tag_length(tag: &str) -> usize {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    tag.len()
}

struct Reader<'t> {
    text: &'t str,
    known: HashMap<&'t str, Text>,
    tree: Tree,
    places: HashMap<Id, TextPos>,
}

impl<'t> Reader<'t> {
    fn shared(&mut self, text: &str) -> Text {
        if let Some(known) = self.known.get(text) {
            return Text::clone(known);
        }
        text.into()
    }

    /// A name as it stands in the text, which knows its prefix.
    fn name(&mut self, written: &'t str, local: &str, uri: Option<&str>) -> Name {
        let prefix = written.split_once(':').map_or("", |(prefix, _)| prefix);
        self.known.entry(prefix).or_insert_with(|| prefix.into());
        let known = self.known.get(prefix).map(Text::clone).unwrap_or_default();
        Name { prefix: known, local: self.shared(local), uri: self.shared(uri.unwrap_or_default()) }
    }

    fn copy(&mut self, document: &Document<'t>, keep_places: bool) {
        let text = self.text;
        let mut open = vec![(document.root().id(), 0)];
        for node in document.root().descendants().skip(1) {
            let parent = node.parent().map(|parent| parent.id());
            while open.last().is_some_and(|(id, _)| Some(*id) != parent) {
                open.pop();
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
                        self.places.insert(id, document.text_pos_at(node.range().start));
                    }
                    self.declarations(document, node, place, id);
                    for attribute in node.attributes() {
                        let written = text.get(attribute.range_qname()).unwrap_or_default();
                        let name = self.name(written, attribute.name(), attribute.namespace());
                        self.tree.set_attribute(id, name, attribute.value().to_owned());
                    }
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
                    self.tree.add(place, Kind::Instruction, Some(Name::local(target)), value.to_owned());
                }
                NodeType::Text | NodeType::Root => {}
            }
        }
    }

    /// The namespaces that an element declares: those in its scope that are not so in its parent's.
    fn declarations(&mut self, document: &Document<'t>, node: roxmltree::Node<'_, 't>, parent: Id, id: Id) {
        if node.parent_element().is_some_and(|parent| same_scope(parent, node)) {
            return;
        }
        let _ = document;
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
        self.tree.get_mut(id).namespaces = declared;
    }
}

fn same_scope(parent: roxmltree::Node<'_, '_>, node: roxmltree::Node<'_, '_>) -> bool {
    let all = |node: roxmltree::Node<'_, '_>| -> Vec<(Option<String>, String)> {
        node.namespaces().map(|ns| (ns.name().map(str::to_owned), ns.uri().to_owned())).collect()
    };
    parent.namespaces().count() == node.namespaces().count() && all(parent) == all(node)
}

fn index_ids(tree: &mut Tree, declared: &[(String, String)]) {
    let mut ids = HashMap::new();
    for id in tree.descendants(0).filter(|id| tree.get(*id).kind == Kind::Element) {
        let element = tree.get(id).name.as_ref().map(Name::qualified).unwrap_or_default();
        let mut of_type = declared.iter().filter(|(name, _)| *name == element);
        let value = of_type.find_map(|(_, attribute)| tree.attribute(id, "", attribute));
        if let Some(value) = value.or_else(|| tree.attribute(id, XML, "id")) {
            ids.entry(value.trim().to_owned()).or_insert(id);
        }
    }
    tree.ids = ids;
}
