//! Changes at a path: what stands on the way is copied one level deep, once, and then changed in place.

use super::{Document, Id, Member, Node, Slot, Tree};
use crate::path::{Path, Segment};

/// A value that was taken out, and where it stood.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The value.
    pub(crate) value: Id,
    from: Place,
}

#[derive(Debug)]
enum Place {
    Root(Document),
    Element(u32, usize),
    Member(u32, usize, Member),
}

impl Tree<'_> {
    /// Keeps a value as it is now, because a variable holds it.
    pub(crate) fn keep(&mut self, value: Id) {
        // What is made from now on is no part of it.
        if self.is_object(value) || self.is_array(value) {
            self.frozen = (self.lists.len(), self.maps.len());
        }
    }

    fn at(&self, slot: Slot) -> Option<Id> {
        match slot {
            Slot::Root(document) => self.root(document),
            Slot::Element(list, index) => self.lists.get(list as usize)?.get(index).copied(),
            Slot::Member(map, index) => self.maps.get(map as usize)?.get(index).map(|member| member.value),
        }
    }

    pub(super) fn node_at(&self, slot: Slot) -> Node {
        self.at(slot).map_or(Node::Null, |id| self.node(id))
    }

    pub(super) fn hang(&mut self, slot: Slot, value: Id) {
        match slot {
            Slot::Root(document) => self.set_root(document, value),
            Slot::Element(list, index) => {
                if let Some(element) = self.lists.get_mut(list as usize).and_then(|list| list.get_mut(index))
                {
                    *element = value;
                }
            }
            Slot::Member(map, index) => {
                if let Some(member) = self.maps.get_mut(map as usize).and_then(|map| map.get_mut(index)) {
                    member.value = value;
                }
            }
        }
    }

    /// The object at a slot in a form that may be changed; `None` when there is no object.
    pub(super) fn map_at(&mut self, slot: Slot) -> Option<u32> {
        let id = self.at(slot)?;
        match self.node(id) {
            Node::Map(map) if map as usize >= self.frozen.1 => return Some(map),
            Node::Map(_) | Node::Object { .. } => {}
            _ => return None,
        }
        let mut members = Vec::new();
        self.members_into(id, &mut members);
        let copy = self.new_map(members);
        self.hang(slot, copy);
        Some(self.maps.len() as u32 - 1)
    }

    /// The array at a slot in a form that may be changed; `None` when there is no array.
    pub(super) fn list_at(&mut self, slot: Slot) -> Option<u32> {
        let id = self.at(slot)?;
        let elements = match self.node(id) {
            Node::List(list) if list as usize >= self.frozen.0 => return Some(list),
            Node::List(list) => self.lists.get(list as usize).cloned().unwrap_or_default(),
            Node::Array { .. } => self.elements(id).collect(),
            _ => return None,
        };
        let copy = self.new_list(elements);
        self.hang(slot, copy);
        Some(self.lists.len() as u32 - 1)
    }

    /// Makes an array at least so long, with nulls at its end.
    pub(super) fn lengthen(&mut self, list: u32, length: usize) {
        let null = self.push(Node::Null);
        if let Some(elements) = self.lists.get_mut(list as usize).filter(|elements| elements.len() < length) {
            elements.resize(length, null);
        }
    }

    /// Merges a value into what stands at a path, and makes the path where it is missing. False, with the document as
    /// it was, when an object would have to go into an array.
    pub(crate) fn add(&mut self, document: Document, path: &Path, value: Id) -> bool {
        let mut slot = Slot::Root(document);
        for (index, segment) in path.0.iter().enumerate() {
            let rest = path.0.get(index..).unwrap_or_default();
            slot = match segment {
                Segment::Key(_) if self.at(slot).is_some_and(|id| self.is_array(id)) => return false,
                Segment::Key(key) => {
                    let Some(map) = self.map_at(slot) else {
                        let made = self.build(rest, value);
                        self.hang(slot, made);
                        return true;
                    };
                    match self.position(map, key) {
                        Ok(position) => Slot::Member(map, position),
                        Err(position) => {
                            let made = self.build(rest.get(1..).unwrap_or_default(), value);
                            let key = self.text(String::from(&**key));
                            self.insert(map, position, Member { key, value: made });
                            return true;
                        }
                    }
                }
                Segment::Index(element) => {
                    let Some(list) = self.list_at(slot) else {
                        let made = self.build(rest, value);
                        self.hang(slot, made);
                        return true;
                    };
                    self.lengthen(list, element.saturating_add(1));
                    Slot::Element(list, *element)
                }
            };
        }
        self.merge(slot, value)
    }

    pub(super) fn insert(&mut self, map: u32, position: usize, member: Member) {
        if let Some(members) = self.maps.get_mut(map as usize).filter(|members| position <= members.len()) {
            members.insert(position, member);
        }
    }

    /// What is missing of a path, around its value.
    fn build(&mut self, path: &[Segment], value: Id) -> Id {
        path.iter().rev().fold(value, |value, segment| match segment {
            Segment::Key(key) => {
                let key = self.text(String::from(&**key));
                self.new_map(vec![Member { key, value }])
            }
            Segment::Index(index) => {
                let null = self.push(Node::Null);
                let mut elements = vec![null; *index];
                elements.push(value);
                self.new_list(elements)
            }
        })
    }

    /// Takes out the value at a path: an array gets shorter, an object loses a member, and of a whole document an
    /// empty object remains.
    pub(crate) fn take(&mut self, document: Document, path: &Path) -> Option<Taken> {
        let value = self.get(document, path)?;
        let Some((last, way)) = path.0.split_last() else {
            let rest = self.new_map(Vec::new());
            self.set_root(document, rest);
            return Some(Taken { value, from: Place::Root(document) });
        };
        let mut slot = Slot::Root(document);
        for segment in way {
            slot = self.enter(slot, segment)?;
        }
        let from = match self.enter(slot, last)? {
            Slot::Member(map, position) => {
                let member = self.maps.get_mut(map as usize)?.remove(position);
                Place::Member(map, position, member)
            }
            Slot::Element(list, index) => {
                self.lists.get_mut(list as usize)?.remove(index);
                Place::Element(list, index)
            }
            Slot::Root(document) => Place::Root(document),
        };
        Some(Taken { value, from })
    }

    /// Puts a value back to where it was taken from; nothing may have changed since.
    pub(crate) fn put_back(&mut self, taken: &Taken) {
        match taken.from {
            Place::Root(document) => self.set_root(document, taken.value),
            Place::Element(list, index) => {
                if let Some(list) = self.lists.get_mut(list as usize).filter(|list| index <= list.len()) {
                    list.insert(index, taken.value);
                }
            }
            Place::Member(map, position, member) => self.insert(map, position, member),
        }
    }

    /// One step down in a form that may be changed.
    fn enter(&mut self, slot: Slot, segment: &Segment) -> Option<Slot> {
        match segment {
            Segment::Key(key) => {
                let map = self.map_at(slot)?;
                self.position(map, key).ok().map(|position| Slot::Member(map, position))
            }
            Segment::Index(index) => {
                let list = self.list_at(slot)?;
                (*index < self.lists.get(list as usize)?.len()).then_some(Slot::Element(list, *index))
            }
        }
    }
}
