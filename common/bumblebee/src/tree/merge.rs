//! Merging: objects member by member, arrays element by element, everything else by replacing.

use super::{Id, Member, Node, Slot, Tree};

impl Tree<'_> {
    /// Merges a value into what stands at a slot. `null` changes nothing, an object leaves an array alone, everything
    /// else replaces what is not of its kind. False when the value as a whole was left out for being an object.
    pub(super) fn merge(&mut self, slot: Slot, value: Id) -> bool {
        if self.is_object(value) && matches!(self.node_at(slot), Node::Array { .. } | Node::List(_)) {
            return false;
        }
        let mut work = vec![(slot, value)];
        while let Some((slot, value)) = work.pop() {
            match self.node(value) {
                Node::Null => {}
                Node::Array { .. } | Node::List(_) => match self.list_at(slot) {
                    Some(list) => self.merge_array(list, value, &mut work),
                    None => self.hang(slot, value),
                },
                Node::Object { .. } | Node::Map(_) => match self.node_at(slot) {
                    Node::Array { .. } | Node::List(_) => {}
                    _ => match self.map_at(slot) {
                        Some(map) => self.merge_object(map, value, &mut work),
                        None => self.hang(slot, value),
                    },
                },
                _ => self.hang(slot, value),
            }
        }
        true
    }

    fn merge_array(&mut self, list: u32, value: Id, work: &mut Vec<(Slot, Id)>) {
        let elements: Vec<Id> = match self.node(value) {
            Node::List(list) => self.lists.get(list as usize).cloned().unwrap_or_default(),
            _ => self.elements(value).collect(),
        };
        self.lengthen(list, elements.len());
        work.extend(
            elements.into_iter().enumerate().map(|(index, value)| (Slot::Element(list, index), value)),
        );
    }

    fn merge_object(&mut self, map: u32, value: Id, work: &mut Vec<(Slot, Id)>) {
        let mut added = Vec::new();
        self.members_into(value, &mut added);
        let old = self.maps.get_mut(map as usize).map(std::mem::take).unwrap_or_default();
        let mut merged: Vec<Member> = Vec::with_capacity(old.len().max(added.len()));
        let mut old = old.into_iter().peekable();
        for member in added {
            let key = self.key(member);
            while let Some(smaller) = old.next_if(|old| self.key(*old) < key) {
                merged.push(smaller);
            }
            match old.next_if(|old| self.key(*old) == key) {
                Some(same) => {
                    work.push((Slot::Member(map, merged.len()), member.value));
                    merged.push(same);
                }
                None => merged.push(member),
            }
        }
        merged.extend(old);
        if let Some(members) = self.maps.get_mut(map as usize) {
            *members = merged;
        }
    }
}
