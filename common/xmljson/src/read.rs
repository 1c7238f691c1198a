//! A document to a tree: XML 1.0 as Go's `encoding/xml` reads it, by quick-xml.

use std::borrow::Cow;

use quick_xml::{
    Reader,
    escape::unescape,
    events::{BytesDecl, BytesRef, BytesStart, Event},
};

use crate::{Invalid, MAX_DEPTH, lexis};

/// All nodes of a document; the first is the document itself.
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
}

/// An element, an attribute or the document.
#[derive(Default)]
pub(crate) struct Node {
    /// As its parent has it: `-` stands before the names of attributes.
    pub(crate) label: String,
    /// The last piece of its text.
    pub(crate) text: String,
    /// In the order of the document.
    pub(crate) children: Vec<usize>,
}

struct Builder {
    tree: Tree,
    /// From the document to the innermost element that is open.
    open: Vec<usize>,
    /// Text since the last markup.
    piece: Option<String>,
}

pub(crate) fn read(xml: &[u8]) -> Result<Tree, Invalid> {
    let text = lexis::legal(xml);
    let is_cut = text.len() < xml.len();
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_comments = true;
    config.expand_empty_elements = true;
    let mut builder = Builder::new();
    let reason = loop {
        let event = match reader.read_event() {
            Ok(Event::Eof) if is_cut => break "a byte that no XML has".to_owned(),
            Ok(Event::Eof) => {
                builder.end_piece();
                break "the end of the input".to_owned();
            }
            Ok(event) => event,
            Err(error) => break error.to_string(),
        };
        if let Err(reason) = builder.take(event) {
            break reason;
        }
    };
    if builder.is_complete() {
        return Ok(builder.tree);
    }
    Err(Invalid { at: reader.buffer_position(), reason })
}

impl Builder {
    fn new() -> Self {
        Self { tree: Tree { nodes: vec![Node::default()] }, open: vec![0], piece: None }
    }

    /// Whether there is an element that was closed.
    fn is_complete(&self) -> bool {
        self.tree.nodes.first().is_some_and(|document| !document.children.is_empty())
    }

    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Text(text) => {
                let text = text.xml10_content().map_err(|error| error.to_string())?;
                if text.contains("]]>") {
                    return Err("']]>' outside of a CDATA section".to_owned());
                }
                self.piece.get_or_insert_default().push_str(&text);
            }
            Event::GeneralRef(reference) => {
                let c = character(&reference)?;
                self.piece.get_or_insert_default().push(c);
            }
            Event::CData(data) => {
                self.end_piece();
                let text = data.xml10_content().map_err(|error| error.to_string())?;
                self.set_text(&text);
            }
            Event::Start(start) => {
                self.end_piece();
                self.start(&start)?;
            }
            Event::End(_) => {
                self.end_piece();
                self.end();
            }
            Event::Decl(declaration) => {
                self.end_piece();
                check(&declaration)?;
            }
            _ => self.end_piece(),
        }
        Ok(())
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        if self.open.len() > MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} elements within one another"));
        }
        let element = self.add(local(start.name().into_inner())?.to_owned(), String::new());
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let label = format!("-{}", local(attribute.key.into_inner())?);
            let value = self.add(label, value(&attribute.value)?);
            self.child(element, value);
        }
        self.open.push(element);
        Ok(())
    }

    fn end(&mut self) {
        if let [.., parent, element] = self.open[..] {
            self.child(parent, element);
            self.open.pop();
        }
    }

    fn end_piece(&mut self) {
        if let Some(piece) = self.piece.take() {
            self.set_text(&piece);
        }
    }

    fn set_text(&mut self, text: &str) {
        let node = self.open.last().and_then(|element| self.tree.nodes.get_mut(*element));
        if let Some(node) = node {
            lexis::trimmed(text).clone_into(&mut node.text);
        }
    }

    fn add(&mut self, label: String, text: String) -> usize {
        self.tree.nodes.push(Node { label, text, children: Vec::new() });
        self.tree.nodes.len() - 1
    }

    fn child(&mut self, parent: usize, child: usize) {
        if let Some(parent) = self.tree.nodes.get_mut(parent) {
            parent.children.push(child);
        }
    }
}

fn local(name: &[u8]) -> Result<&str, String> {
    let name = std::str::from_utf8(name).map_err(|error| error.to_string())?;
    lexis::local(name).ok_or_else(|| "what is no name".to_owned())
}

/// The value of an attribute. White space in it stays, but for the ends of lines.
fn value(raw: &[u8]) -> Result<String, String> {
    let raw = std::str::from_utf8(raw).map_err(|error| error.to_string())?;
    if raw.contains('<') {
        return Err("'<' in the value of an attribute".to_owned());
    }
    let lines = if raw.contains('\r') {
        Cow::Owned(raw.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(raw)
    };
    let value = unescape(&lines).map_err(|error| error.to_string())?;
    if value.chars().all(lexis::is_legal) { Ok(value.into_owned()) } else { Err(ILLEGAL.to_owned()) }
}

const ILLEGAL: &str = "a reference to a character that no XML has";

/// What a reference stands for: entities that a document declares are not known.
fn character(reference: &BytesRef<'_>) -> Result<char, String> {
    let c = match &**reference {
        b"lt" => '<',
        b"gt" => '>',
        b"amp" => '&',
        b"apos" => '\'',
        b"quot" => '"',
        _ => {
            let c = reference.resolve_char_ref().map_err(|error| error.to_string())?;
            c.ok_or_else(|| "a reference to an entity that is not known".to_owned())?
        }
    };
    if lexis::is_legal(c) { Ok(c) } else { Err(ILLEGAL.to_owned()) }
}

/// Other versions and encodings were not taken by the original.
fn check(declaration: &BytesDecl<'_>) -> Result<(), String> {
    let version = declaration.version().map_err(|error| error.to_string())?;
    if &*version != b"1.0" {
        return Err("a version of XML that is not 1.0".to_owned());
    }
    match declaration.encoding() {
        Some(Ok(encoding)) if encoding.eq_ignore_ascii_case(b"utf-8") => Ok(()),
        None => Ok(()),
        Some(_) => Err("an encoding that is not UTF-8".to_owned()),
    }
}
