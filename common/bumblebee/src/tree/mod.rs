//! JSON documents of one event: nodes in one list that is dropped as a whole, texts as slices of what was received.
//!
//! Nothing here recurses, so that no document is too deep for the stack. What was read is never changed in place: a
//! container that is edited is copied first, one level of it, and what a variable holds stays as it was.

mod edit;
mod members;
mod merge;
mod prune;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::borrow::Cow;

use crate::path::{Path, Segment};

pub(crate) use prune::Pruned;

/// A node's place in the list.
pub(crate) type Id = u32;

/// Part of one of the texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    text: u32,
    start: u32,
    end: u32,
}

/// How the text of a string is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The same in JSON and out of it: nothing in it is ever escaped.
    Clean,
    /// As it is meant; JSON may want escapes.
    Text,
    /// As JSON, with escapes.
    Escaped,
}

/// A JSON value. 16 bytes: what is read takes at most eight times the size of its text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Node {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// Its text, as it was written.
    Number(Span),
    /// Without the quotation marks.
    String(Span, Form),
    /// As it was read: its elements follow, up to `end`.
    Array { end: Id },
    /// As it was read: keys and values follow in turn, up to `end`; a key may stand twice.
    Object { end: Id },
    /// An array that was made or edited.
    List(u32),
    /// An object that was made or edited.
    Map(u32),
}

/// A key and its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    key: Id,
    value: Id,
}

/// Which of the event's documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Document {
    /// The attributes.
    Context,
    /// The payload.
    Data,
}

/// Where a value hangs.
#[derive(Debug, Clone, Copy)]
enum Slot {
    Root(Document),
    Element(u32, usize),
    Member(u32, usize),
}

/// The documents of one event.
#[derive(Debug, Default)]
pub(crate) struct Tree<'a> {
    texts: Vec<Cow<'a, str>>,
    nodes: Vec<Node>,
    lists: Vec<Vec<Id>>,
    /// Members sorted by key, no key twice.
    maps: Vec<Vec<Member>>,
    /// Lists and maps below these numbers may be held by variables.
    frozen: (usize, usize),
    roots: [Option<Id>; 2],
}

impl<'a> Tree<'a> {
    /// Without documents.
    pub(crate) fn with_capacity(nodes: usize) -> Self {
        let (texts, maps) = (Vec::with_capacity(16), Vec::with_capacity(8));
        Self { nodes: Vec::with_capacity(nodes), texts, maps, ..Self::default() }
    }

    /// The document's value, if it is there.
    pub(crate) fn root(&self, document: Document) -> Option<Id> {
        self.roots[document as usize]
    }

    /// Sets the document's value.
    pub(crate) fn set_root(&mut self, document: Document, value: Id) {
        self.roots[document as usize] = Some(value);
    }

    pub(crate) fn node(&self, id: Id) -> Node {
        self.nodes.get(id as usize).copied().unwrap_or(Node::Null)
    }

    pub(crate) fn push(&mut self, node: Node) -> Id {
        let id = self.nodes.len() as Id;
        self.nodes.push(node);
        id
    }

    /// A string that is no JSON text yet.
    pub(crate) fn text(&mut self, text: impl Into<Cow<'a, str>>) -> Id {
        let text = text.into();
        let span = Span { text: self.texts.len() as u32, start: 0, end: text.len() as u32 };
        self.texts.push(text);
        self.push(Node::String(span, Form::Text))
    }

    /// An object with these members; the keys must be sorted and different.
    pub(crate) fn object(&mut self, members: Vec<(Id, Id)>) -> Id {
        let members = members.into_iter().map(|(key, value)| Member { key, value }).collect();
        self.new_map(members)
    }

    fn new_map(&mut self, members: Vec<Member>) -> Id {
        self.maps.push(members);
        self.push(Node::Map(self.maps.len() as u32 - 1))
    }

    fn new_list(&mut self, elements: Vec<Id>) -> Id {
        self.lists.push(elements);
        self.push(Node::List(self.lists.len() as u32 - 1))
    }

    fn span(&self, span: Span) -> &str {
        let text = self.texts.get(span.text as usize).map_or("", |text| text);
        text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// As [`span`](Self::span), without a look at where characters begin.
    fn bytes(&self, span: Span) -> &[u8] {
        let text = self.texts.get(span.text as usize).map_or(&[][..], |text| text.as_bytes());
        text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// The text of a number.
    pub(crate) fn number(&self, id: Id) -> Option<&str> {
        match self.node(id) {
            Node::Number(span) => Some(self.span(span)),
            _ => None,
        }
    }

    /// What a string means.
    pub(crate) fn string(&self, id: Id) -> Option<Cow<'_, str>> {
        match self.node(id) {
            Node::String(span, Form::Escaped) => Some(Cow::Owned(read::unescape(self.span(span)))),
            Node::String(span, _) => Some(Cow::Borrowed(self.span(span))),
            _ => None,
        }
    }

    /// The key of a member; UTF-8 sorts as its characters do.
    fn key(&self, member: Member) -> Cow<'_, [u8]> {
        match self.node(member.key) {
            Node::String(span, Form::Escaped) => Cow::Owned(read::unescape(self.span(span)).into_bytes()),
            Node::String(span, _) => Cow::Borrowed(self.bytes(span)),
            _ => Cow::Borrowed(&[]),
        }
    }

    fn is_key(&self, id: Id, key: &str) -> bool {
        match self.node(id) {
            Node::String(span, Form::Escaped) => read::unescape(self.span(span)) == key,
            Node::String(span, _) => {
                (span.end - span.start) as usize == key.len() && self.bytes(span) == key.as_bytes()
            }
            _ => false,
        }
    }

    /// The value at a path.
    pub(crate) fn get(&self, document: Document, path: &Path) -> Option<Id> {
        let mut at = self.root(document)?;
        for segment in &path.0 {
            at = match segment {
                Segment::Key(key) => self.member(at, key)?,
                Segment::Index(index) => self.element(at, *index)?,
            };
        }
        Some(at)
    }

    /// The value of a key; where it stands twice, the last one.
    pub(crate) fn member(&self, object: Id, key: &str) -> Option<Id> {
        match self.node(object) {
            Node::Object { end } => {
                let (mut at, mut found) = (object + 1, None);
                while at < end {
                    if self.is_key(at, key) {
                        found = Some(at + 1);
                    }
                    at = self.after(at + 1);
                }
                found
            }
            Node::Map(map) => {
                let position = self.position(map, key).ok()?;
                self.maps.get(map as usize)?.get(position).map(|member| member.value)
            }
            _ => None,
        }
    }

    fn element(&self, array: Id, index: usize) -> Option<Id> {
        match self.node(array) {
            Node::Array { .. } => self.elements(array).nth(index),
            Node::List(list) => self.lists.get(list as usize)?.get(index).copied(),
            _ => None,
        }
    }

    /// The elements of an array as it was read.
    fn elements(&self, array: Id) -> impl Iterator<Item = Id> {
        let end = match self.node(array) {
            Node::Array { end } => end,
            _ => 0,
        };
        let mut at = array + 1;
        std::iter::from_fn(move || {
            let element = at;
            (element < end).then(|| {
                at = self.after(element);
                element
            })
        })
    }

    /// Where the node behind this one stands, in what was read.
    fn after(&self, id: Id) -> Id {
        match self.node(id) {
            Node::Array { end } | Node::Object { end } => end,
            _ => id + 1,
        }
    }

    /// Where a key stands in a map, or where it would.
    fn position(&self, map: u32, key: &str) -> Result<usize, usize> {
        let members = self.maps.get(map as usize).map(Vec::as_slice).unwrap_or_default();
        members.binary_search_by(|member| (*self.key(*member)).cmp(key.as_bytes()))
    }

    /// Whether it is `null`.
    pub(crate) fn is_null(&self, id: Id) -> bool {
        matches!(self.node(id), Node::Null)
    }

    /// The value of a boolean.
    pub(crate) fn bool(&self, id: Id) -> Option<bool> {
        match self.node(id) {
            Node::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Whether it is an object.
    pub(crate) fn is_object(&self, id: Id) -> bool {
        matches!(self.node(id), Node::Object { .. } | Node::Map(_))
    }

    /// Whether it is an array.
    fn is_array(&self, id: Id) -> bool {
        matches!(self.node(id), Node::Array { .. } | Node::List(_))
    }
}
