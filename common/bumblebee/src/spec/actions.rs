//! From an entry of `paths` to what its step does.

use super::{Action, Entry, Operand, Spec};
use crate::{
    path::{BadPath, Path},
    template::Template,
    tree::Document,
};

/// The greatest index that a path may create: what is missing before it is filled with `null`.
pub const MAX_INDEX: usize = 10_000;

impl Spec {
    pub(super) fn action(&mut self, entry: &Entry<'_>) -> Option<Action> {
        let at = |field: &str| format!("{}.{field}", entry.pointer);
        match entry.operation {
            "store" => {
                if entry.key.is_empty() {
                    self.problem(at("key"), "must name a variable");
                    return None;
                }
                let variable = self.variables.iter().position(|known| known == entry.key)?;
                if entry.value.is_empty() {
                    self.warning(at("value"), "is empty: the variable never has a value");
                }
                Some(Action::Store { variable, path: self.source(entry, entry.value, "value")? })
            }
            "parse" => {
                let json = matches!(entry.value, "json" | "JSON");
                if !json {
                    self.warning(
                        at("value"),
                        "should be 'json': nothing else can be parsed, and this step always fails",
                    );
                }
                if entry.key.is_empty() {
                    self.warning(at("key"), "is empty: this step always fails");
                }
                Some(Action::Parse { path: self.source(entry, entry.key, "key")?, json })
            }
            "add" => {
                self.context_key(entry, entry.key);
                let path = self.destination(entry, entry.key)?;
                Some(Action::Add { path, value: Template::parse(entry.value, &self.variables) })
            }
            "delete" => Some(self.delete(entry)),
            _ => self.shift(entry),
        }
    }

    fn delete(&mut self, entry: &Entry<'_>) -> Action {
        let pointer = format!("{}.key", entry.pointer);
        if entry.separator != "." && !entry.key.is_empty() {
            let message = "matches nothing: paths to delete are always written with '.'";
            self.warning(format!("{}.separator", entry.pointer), message);
        } else if entry.key.starts_with('[') {
            self.warning(
                pointer,
                "matches nothing: elements of a root array cannot be deleted by their index",
            );
        } else if entry.document == Document::Context && entry.key.is_empty() && entry.value.is_empty() {
            self.warning(pointer, "is empty: without any attribute no event can be sent");
        }
        let path = (!entry.key.is_empty()).then(|| format!("{}{}", entry.separator, entry.key));
        Action::Delete { path, value: self.operand(entry.value) }
    }

    fn shift(&mut self, entry: &Entry<'_>) -> Option<Action> {
        let pointer = format!("{}.key", entry.pointer);
        let mut sides = entry.key.split(':');
        let (Some(from), Some(to), None) = (sides.next(), sides.next(), sides.next()) else {
            self.problem(pointer, "must be two paths with one ':' between them, as in 'old.path:new.path'");
            return None;
        };
        if from.is_empty() {
            self.warning(
                pointer,
                "names nothing before the ':': nothing is ever moved ('.' is the whole document)",
            );
        }
        self.context_key(entry, to);
        let (from, to) = (self.source(entry, from, "key"), self.destination(entry, to));
        Some(Action::Shift { from: from?, to: to?, guard: self.operand(entry.value) })
    }

    /// A value to compare with; an empty one means that there is none.
    fn operand(&self, text: &str) -> Option<Operand> {
        let variable = self.variables.iter().position(|known| known == text);
        (!text.is_empty()).then(|| Operand { text: text.to_owned(), variable })
    }

    /// A path that is only read; an empty one finds nothing.
    fn source(&mut self, entry: &Entry<'_>, text: &str, field: &str) -> Option<Option<Path>> {
        let path = self.path(entry, text, field)?;
        Some((!text.is_empty()).then_some(path))
    }

    fn destination(&mut self, entry: &Entry<'_>, text: &str) -> Option<Path> {
        let path = self.path(entry, text, "key")?;
        if path.greatest_index().is_some_and(|index| index > MAX_INDEX) {
            self.problem(format!("{}.key", entry.pointer), format!("has an index above {MAX_INDEX}"));
            return None;
        }
        Some(path)
    }

    fn path(&mut self, entry: &Entry<'_>, text: &str, field: &str) -> Option<Path> {
        let message = match Path::parse(text, entry.separator) {
            Ok(path) => return Some(path),
            Err(BadPath::Negative(index)) => format!("has the index {index}: they begin with 0"),
            Err(BadPath::Huge(_)) => "has an index that is too large".to_owned(),
        };
        self.problem(format!("{}.{field}", entry.pointer), message);
        None
    }

    /// Warns of an attribute that cannot be set.
    fn context_key(&mut self, entry: &Entry<'_>, key: &str) {
        const USABLE: [&str; 7] = ["id", "source", "type", "subject", "time", "dataschema", "extensions"];
        let root = key.split(entry.separator).find(|part| !part.is_empty()).unwrap_or_default();
        if entry.document == Document::Context && !USABLE.iter().any(|known| known.eq_ignore_ascii_case(root))
        {
            let message = "is no attribute that can be set: there are id, source, type, subject, time, dataschema and \
                           Extensions.<name>";
            self.warning(format!("{}.key", entry.pointer), message);
        }
    }
}
