//! Deleting: the document is walked, what matches loses its place in an object or becomes `null` in an array.

use super::{Document, Id, Member, Node, Tree};
use crate::number;

/// No node: no document has so many.
const GONE: Id = Id::MAX;

/// What to delete.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pruned<'p> {
    /// The path as the original wrote it: `.key` and `[index]` after one another. Without it every place is meant.
    pub(crate) path: Option<&'p str>,
    /// The scalar that must stand there, as text.
    pub(crate) value: Option<&'p str>,
}

/// A container that is being walked.
struct Frame<'p> {
    /// What the path still holds at this point.
    path: Option<&'p str>,
    array: bool,
    /// Of an array, without keys.
    members: Vec<Member>,
    next: usize,
    changed: bool,
}

impl Frame<'_> {
    /// Goes on to the next member; this one may have got another value.
    fn step(&mut self, value: Option<Id>) {
        if let (Some(value), Some(member)) = (value, self.members.get_mut(self.next)) {
            member.value = value;
            self.changed = true;
        }
        self.next += 1;
    }
}

/// What becomes of a value.
enum Fate<'p> {
    Goes,
    Stays,
    Enter(Option<&'p str>),
}

impl Tree<'_> {
    /// Deletes what matches. Whether something did.
    pub(crate) fn prune(&mut self, document: Document, pruned: Pruned<'_>) -> bool {
        let Some(root) = self.root(document) else { return false };
        if pruned.path.is_none() && pruned.value.is_none_or(|value| self.is_scalar(root, value)) {
            let null = self.push(Node::Null);
            self.set_root(document, null);
            return true;
        }
        let mut frames: Vec<Frame<'_>> = self.frame(root, pruned.path).into_iter().collect();
        while let Some(frame) = frames.last_mut() {
            let Some(member) = frame.members.get(frame.next).copied() else {
                let Some(done) = frames.pop() else { break };
                let changed = done.changed;
                let replaced = changed.then(|| self.finish(done));
                match frames.last_mut() {
                    Some(parent) => parent.step(replaced),
                    None => {
                        self.roots[document as usize] = replaced.or(Some(root));
                        return changed;
                    }
                }
                continue;
            };
            match self.fate(frame, member, pruned.value) {
                Fate::Goes if frame.array => {
                    let null = self.push(Node::Null);
                    frame.step(Some(null));
                }
                // Taken out when the object is done, so that many cost no more than one.
                Fate::Goes => frame.step(Some(GONE)),
                Fate::Stays => frame.step(None),
                Fate::Enter(path) => match self.frame(member.value, path) {
                    Some(inner) => frames.push(inner),
                    None => frame.step(None),
                },
            }
        }
        false
    }

    fn frame<'p>(&self, id: Id, path: Option<&'p str>) -> Option<Frame<'p>> {
        let mut members = Vec::new();
        let array = self.is_array(id);
        match self.node(id) {
            Node::Array { .. } => members.extend(self.elements(id).map(|value| Member { key: GONE, value })),
            Node::List(list) => {
                let elements = self.lists.get(list as usize).into_iter().flatten();
                members.extend(elements.map(|value| Member { key: GONE, value: *value }));
            }
            Node::Object { .. } | Node::Map(_) => self.members_into(id, &mut members),
            _ => return None,
        }
        Some(Frame { path, array, members, next: 0, changed: false })
    }

    fn finish(&mut self, frame: Frame<'_>) -> Id {
        if frame.array {
            return self.new_list(frame.members.into_iter().map(|member| member.value).collect());
        }
        self.new_map(frame.members.into_iter().filter(|member| member.value != GONE).collect())
    }

    fn fate<'p>(&self, frame: &Frame<'p>, member: Member, value: Option<&str>) -> Fate<'p> {
        let path = match frame.path {
            Some(path) => match self.rest(frame, member, path) {
                Some(rest) => Some(rest),
                None => return Fate::Stays,
            },
            None => None,
        };
        let arrived = path.is_none_or(str::is_empty);
        if arrived && value.is_none_or(|value| self.is_scalar(member.value, value)) {
            return Fate::Goes;
        }
        if path == Some("") { Fate::Stays } else { Fate::Enter(path) }
    }

    /// What a path holds behind this member; `None` when it leads elsewhere.
    fn rest<'p>(&self, frame: &Frame<'_>, member: Member, path: &'p str) -> Option<&'p str> {
        if !frame.array {
            return path.strip_prefix('.')?.strip_prefix(&*self.string(member.key)?);
        }
        let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
        let plain = index == "0" || !index.starts_with(['0', '+']);
        (plain && index.parse() == Ok(frame.next)).then_some(rest)
    }

    /// Whether it is a scalar other than `null` that this text stands for; numbers in plain decimal.
    fn is_scalar(&self, id: Id, text: &str) -> bool {
        match self.node(id) {
            Node::String(..) => self.is_key(id, text),
            Node::Bool(value) => text == if value { "true" } else { "false" },
            Node::Number(_) => self
                .number(id)
                .is_some_and(|number| number::plain(number).as_deref().unwrap_or(number) == text),
            _ => false,
        }
    }
}
