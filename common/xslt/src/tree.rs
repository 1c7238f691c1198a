//! Trees of nodes as XPath 1.0 sees them (section 5), those that are read and those that are made.

use std::{collections::HashMap, sync::Arc};

use crate::budget::Charge;
pub use crate::name::Name;

/// A shared text.
pub type Text = Arc<str>;
/// The place of a node in its tree; places are in document order.
pub type Id = u32;

/// The namespace that every document knows as `xml`.
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
const NONE: Id = Id::MAX;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Root,
    Element,
    Attribute,
    Text,
    /// Text that is written without escapes.
    Raw,
    Comment,
    Instruction,
}

/// One node.
#[derive(Debug)]
pub struct Data {
    pub kind: Kind,
    pub name: Option<Name>,
    pub value: String,
    pub attributes: Vec<Id>,
    /// Declared here: prefix and URI.
    pub namespaces: Vec<(Text, Text)>,
    parent: Id,
    first: Id,
    last: Id,
    next: Id,
    previous: Id,
}

/// A tree; its root is node 0.
#[derive(Debug)]
pub struct Tree {
    nodes: Vec<Data>,
    /// Elements by their ids.
    pub ids: HashMap<String, Id>,
    /// Addresses of entities that are no text, by their names.
    pub unparsed: HashMap<String, String>,
    /// What it holds.
    charge: Charge,
}

fn some(id: Id) -> Option<Id> {
    (id != NONE).then_some(id)
}

impl Default for Tree {
    fn default() -> Self {
        let mut tree = Self {
            nodes: Vec::new(),
            ids: HashMap::new(),
            unparsed: HashMap::new(),
            charge: Charge::default(),
        };
        tree.push(Kind::Root, NONE, None, String::new());
        tree
    }
}

impl Tree {
    pub fn get(&self, id: Id) -> &Data {
        &self.nodes[id as usize]
    }

    pub fn get_mut(&mut self, id: Id) -> &mut Data {
        &mut self.nodes[id as usize]
    }

    pub fn parent(&self, id: Id) -> Option<Id> {
        some(self.get(id).parent)
    }

    pub fn first(&self, id: Id) -> Option<Id> {
        some(self.get(id).first)
    }

    pub fn last(&self, id: Id) -> Option<Id> {
        some(self.get(id).last)
    }

    pub fn next(&self, id: Id) -> Option<Id> {
        some(self.get(id).next)
    }

    pub fn previous(&self, id: Id) -> Option<Id> {
        some(self.get(id).previous)
    }

    pub fn children(&self, id: Id) -> impl Iterator<Item = Id> {
        std::iter::successors(self.first(id), |id| self.next(*id))
    }

    pub fn ancestors(&self, id: Id) -> impl Iterator<Item = Id> {
        std::iter::successors(self.parent(id), |id| self.parent(*id))
    }

    /// The node that follows in the order of the document, within `top`; attributes are left out.
    pub fn after(&self, id: Id, top: Id) -> Option<Id> {
        self.first(id).or_else(|| self.after_all_of(id, top))
    }

    /// The same, what is in it left out.
    pub fn after_all_of(&self, mut id: Id, top: Id) -> Option<Id> {
        while id != top {
            if let Some(next) = self.next(id) {
                return Some(next);
            }
            id = self.parent(id)?;
        }
        None
    }

    /// All nodes in it, in order.
    pub fn descendants(&self, top: Id) -> impl Iterator<Item = Id> {
        std::iter::successors(self.first(top), move |id| self.after(*id, top))
    }

    pub fn attribute(&self, id: Id, uri: &str, local: &str) -> Option<&str> {
        let mut attributes = self.get(id).attributes.iter().map(|id| self.get(*id));
        attributes
            .find(|data| data.name.as_ref().is_some_and(|name| name.is(uri, local)))
            .map(|data| data.value.as_str())
    }

    /// Counts bytes that its nodes share with nobody: names and namespaces.
    pub fn hold(&mut self, bytes: usize) {
        self.charge.grow(bytes);
    }

    /// It outlives the run.
    pub fn settle(&mut self) {
        self.charge.settle();
    }

    /// The text of a node (XPath 1.0, section 5).
    pub fn text(&self, id: Id) -> String {
        self.text_within(id, usize::MAX).map_or_else(|| self.get(id).value.clone(), |(text, _)| text)
    }

    /// The same if it has at most so many bytes, and how many nodes were looked at.
    pub fn text_within(&self, id: Id, most: usize) -> Option<(String, usize)> {
        let data = self.get(id);
        let (mut text, mut looked) = (String::new(), 1);
        if !matches!(data.kind, Kind::Root | Kind::Element) {
            return (data.value.len() <= most).then(|| (data.value.clone(), looked));
        }
        for data in self.descendants(id).map(|id| self.get(id)) {
            looked += 1;
            if matches!(data.kind, Kind::Text | Kind::Raw) {
                if text.len() + data.value.len() > most {
                    return None;
                }
                text.push_str(&data.value);
            }
        }
        Some((text, looked))
    }

    /// What a prefix means at an element.
    pub fn namespace(&self, id: Id, prefix: &str) -> Option<Text> {
        if prefix == "xml" {
            return Some(XML.into());
        }
        let here = std::iter::once(id).chain(self.ancestors(id));
        here.flat_map(|id| &self.get(id).namespaces)
            .find(|(known, _)| **known == *prefix)
            .map(|(_, uri)| Text::clone(uri))
    }

    /// All prefixes in scope at an element and what they mean; a default that is taken back is left out.
    pub fn in_scope(&self, id: Id) -> Vec<(Text, Text)> {
        let mut found: Vec<(Text, Text)> = Vec::new();
        for (prefix, uri) in
            std::iter::once(id).chain(self.ancestors(id)).flat_map(|id| &self.get(id).namespaces)
        {
            if !found.iter().any(|(known, _)| known == prefix) {
                found.push((Text::clone(prefix), Text::clone(uri)));
            }
        }
        found.retain(|(_, uri)| !uri.is_empty());
        found
    }

    fn push(&mut self, kind: Kind, parent: Id, name: Option<Name>, value: String) -> Id {
        let id = self.nodes.len() as Id;
        self.charge.grow(size_of::<Data>() + value.len());
        let (attributes, namespaces) = (Vec::new(), Vec::new());
        let links = (NONE, NONE, NONE, NONE);
        let (first, last, next, previous) = links;
        self.nodes.push(Data {
            kind,
            name,
            value,
            attributes,
            namespaces,
            parent,
            first,
            last,
            next,
            previous,
        });
        id
    }

    /// Adds a child behind the others.
    pub fn add(&mut self, parent: Id, kind: Kind, name: Option<Name>, value: String) -> Id {
        let id = self.push(kind, parent, name, value);
        match self.last(parent) {
            Some(last) => {
                self.get_mut(last).next = id;
                self.get_mut(id).previous = last;
            }
            None => self.get_mut(parent).first = id,
        }
        self.get_mut(parent).last = id;
        id
    }

    /// Adds text, to the one before it where that is of the same kind.
    pub fn add_text(&mut self, parent: Id, kind: Kind, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.last(parent).filter(|last| self.get(*last).kind == kind) {
            Some(last) => {
                self.charge.grow(text.len());
                self.get_mut(last).value.push_str(text);
            }
            None => drop(self.add(parent, kind, None, text.to_owned())),
        }
    }

    /// Adds an attribute, or gives the one of this name another value.
    pub fn set_attribute(&mut self, element: Id, name: Name, value: String) {
        let mut known = self.get(element).attributes.iter().copied();
        let known = known.find(|id| self.get(*id).name.as_ref() == Some(&name));
        if let Some(known) = known {
            self.charge.grow(value.len());
            self.get_mut(known).value = value;
            return;
        }
        let id = self.push(Kind::Attribute, element, Some(name), value);
        self.get_mut(element).attributes.push(id);
    }

    /// Takes a node out; its place stays, out of sight.
    pub fn unlink(&mut self, id: Id) {
        let (parent, next, previous) = (self.get(id).parent, self.get(id).next, self.get(id).previous);
        match some(previous) {
            Some(previous) => self.get_mut(previous).next = next,
            None => self.get_mut(parent).first = next,
        }
        match some(next) {
            Some(next) => self.get_mut(next).previous = previous,
            None => self.get_mut(parent).last = previous,
        }
    }
}
