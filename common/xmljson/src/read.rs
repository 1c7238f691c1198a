//! A document to a tree: XML 1.0 as Go's `encoding/xml` reads it, by quick-xml.

use std::borrow::Cow;

use quick_xml::{
    Reader,
    escape::unescape,
    events::{BytesDecl, BytesRef, BytesStart, Event},
};

use crate::{Invalid, MAX_DEPTH, lexis};

/// All nodes of a document; the first is the document itself.
pub(crate) struct Tree<'a> {
    nodes: Vec<Node<'a>>,
}

/// An element, an attribute or the document.
#[derive(Default)]
pub(crate) struct Node<'a> {
    /// Its local name.
    pub(crate) name: &'a str,
    pub(crate) is_attribute: bool,
    /// The last piece of its text.
    pub(crate) text: Cow<'a, str>,
    first: Option<usize>,
    last: Option<usize>,
    next: Option<usize>,
}

impl<'a> Tree<'a> {
    pub(crate) fn document(&self) -> Option<&Node<'a>> {
        self.nodes.first()
    }

    /// In the order of the document.
    pub(crate) fn children(&self, of: &Node<'a>) -> impl Iterator<Item = &Node<'a>> {
        let node = |index: Option<usize>| index.and_then(|index| self.nodes.get(index));
        std::iter::successors(node(of.first), move |child| node(child.next))
    }
}

impl Node<'_> {
    pub(crate) fn is_leaf(&self) -> bool {
        self.first.is_none()
    }

    /// As members are sorted: `-` stands before the names of attributes, and before all with which names begin.
    pub(crate) fn label(&self) -> (bool, &str) {
        (!self.is_attribute, self.name)
    }
}

struct Builder<'a> {
    input: &'a str,
    tree: Tree<'a>,
    /// From the document to the innermost element that is open.
    open: Vec<usize>,
    /// Text since the last markup.
    piece: Option<Cow<'a, str>>,
}

pub(crate) fn read(xml: &[u8]) -> Result<Tree<'_>, Invalid> {
    let text = lexis::legal(xml);
    let is_cut = text.len() < xml.len();
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_comments = true;
    config.expand_empty_elements = true;
    let mut builder = Builder::new(text);
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
    Err(Invalid::new(reader.buffer_position(), &reason))
}

impl<'a> Builder<'a> {
    fn new(input: &'a str) -> Self {
        let mut nodes = Vec::with_capacity(1 + input.len() / 32);
        nodes.push(Node::default());
        Self { input, tree: Tree { nodes }, open: vec![0], piece: None }
    }

    /// Whether there is an element that was closed.
    fn is_complete(&self) -> bool {
        self.tree.document().is_some_and(|document| !document.is_leaf())
    }

    fn take(&mut self, event: Event<'a>) -> Result<(), String> {
        match event {
            Event::Text(text) => {
                let text = text.xml10_content().map_err(|error| error.to_string())?;
                if text.contains("]]>") {
                    return Err("']]>' outside of a CDATA section".to_owned());
                }
                match &mut self.piece {
                    Some(piece) => piece.to_mut().push_str(&text),
                    None => self.piece = Some(text),
                }
            }
            Event::GeneralRef(reference) => {
                self.piece.get_or_insert_default().to_mut().push(character(&reference)?);
            }
            Event::CData(data) => {
                self.end_piece();
                let text = data.xml10_content().map_err(|error| error.to_string())?;
                self.set_text(text);
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

    fn start(&mut self, start: &BytesStart<'a>) -> Result<(), String> {
        if self.open.len() > MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} elements within one another"));
        }
        let element = self.add(Node { name: self.local(start.name().into_inner())?, ..Node::default() });
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let name = self.local(attribute.key.into_inner())?;
            let text = Cow::Owned(value(&attribute.value)?);
            let attribute = self.add(Node { name, is_attribute: true, text, ..Node::default() });
            self.child(element, attribute);
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
            self.set_text(piece);
        }
    }

    fn set_text(&mut self, text: Cow<'a, str>) {
        let node = self.open.last().and_then(|element| self.tree.nodes.get_mut(*element));
        if let Some(node) = node {
            node.text = match text {
                Cow::Borrowed(text) => Cow::Borrowed(lexis::trimmed(text)),
                Cow::Owned(text) => Cow::Owned(lexis::trimmed(&text).to_owned()),
            };
        }
    }

    fn add(&mut self, node: Node<'a>) -> usize {
        self.tree.nodes.push(node);
        self.tree.nodes.len() - 1
    }

    fn child(&mut self, parent: usize, child: usize) {
        let before = self.tree.nodes.get_mut(parent).and_then(|parent| {
            parent.first.get_or_insert(child);
            parent.last.replace(child)
        });
        if let Some(before) = before.and_then(|before| self.tree.nodes.get_mut(before)) {
            before.next = Some(child);
        }
    }

    /// The local part of a name, as a part of the input.
    fn local(&self, name: &[u8]) -> Result<&'a str, String> {
        let begin = name.as_ptr().addr().wrapping_sub(self.input.as_ptr().addr());
        let name = self.input.get(begin..begin.wrapping_add(name.len()));
        name.and_then(lexis::local).ok_or_else(|| "what is no name".to_owned())
    }
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
    match unescape(&lines).map_err(|error| error.to_string())? {
        Cow::Borrowed(value) => Ok(value.to_owned()),
        Cow::Owned(value) if value.chars().all(lexis::is_legal) => Ok(value),
        Cow::Owned(_) => Err(ILLEGAL.to_owned()),
    }
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
