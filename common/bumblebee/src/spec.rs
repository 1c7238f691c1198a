//! From the JSON of a manifest to steps, with every mistake and every oddity by its place.

mod actions;

use std::fmt;

use serde_json::Value;

use crate::{path::Path, template::Template, tree::Document};

pub use actions::MAX_INDEX;

const OPERATIONS: [&str; 5] = ["add", "delete", "shift", "store", "parse"];

/// A mistake in a specification, or something in it that can have no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is, such as `data[1].paths[0].key`.
    pub pointer: String,
    /// What is wrong, as the end of a sentence.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pointer, self.message)
    }
}

/// One entry of `paths`.
#[derive(Debug)]
pub(crate) struct Step {
    /// Where it stands in the specification.
    pub(crate) pointer: String,
    pub(crate) document: Document,
    pub(crate) action: Action,
}

/// What a step does. A path that is `None` was empty and finds nothing.
#[derive(Debug)]
pub(crate) enum Action {
    Store { variable: usize, path: Option<Path> },
    Parse { path: Option<Path>, json: bool },
    Add { path: Path, value: Template },
    Delete { path: Option<String>, value: Option<Operand> },
    Shift { from: Option<Path>, to: Path, guard: Option<Operand> },
}

/// A text that stands for itself or is the name of a variable.
#[derive(Debug)]
pub(crate) struct Operand {
    pub(crate) text: String,
    pub(crate) variable: Option<usize>,
}

/// Steps, variables and what was found on the way.
#[derive(Debug, Default)]
pub(crate) struct Spec {
    pub(crate) steps: Vec<Step>,
    pub(crate) variables: Vec<String>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
}

/// One entry of `paths` as it stands.
struct Entry<'v> {
    pointer: String,
    document: Document,
    operation: &'static str,
    key: &'v str,
    value: &'v str,
    separator: &'v str,
}

impl Spec {
    /// Reads both sections; `null` is an empty one.
    pub(crate) fn read(context: &Value, data: &Value) -> Self {
        let mut spec = Self::default();
        let mut entries = Vec::new();
        for (name, document, section) in
            [("context", Document::Context, context), ("data", Document::Data, data)]
        {
            spec.section(name, document, section, &mut entries);
        }
        // All variables first: an addition may stand before the store, and in the other section.
        for entry in entries.iter().filter(|entry| entry.operation == "store") {
            if !spec.variables.iter().any(|known| known == entry.key) {
                spec.variables.push(entry.key.to_owned());
            }
        }
        for entry in entries {
            if let Some(action) = spec.action(&entry) {
                spec.steps.push(Step { pointer: entry.pointer, document: entry.document, action });
            }
        }
        spec
    }

    fn problem(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem { pointer: pointer.into(), message: message.into() });
    }

    fn warning(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.warnings.push(Problem { pointer: pointer.into(), message: message.into() });
    }

    fn section<'v>(
        &mut self,
        name: &str,
        document: Document,
        section: &'v Value,
        entries: &mut Vec<Entry<'v>>,
    ) {
        for (index, operation) in self.list(name, section).iter().enumerate() {
            let pointer = format!("{name}[{index}]");
            let Some(word) = self.operation(&pointer, operation) else { continue };
            let paths = operation.get("paths").unwrap_or(&Value::Null);
            for (index, path) in self.list(&format!("{pointer}.paths"), paths).iter().enumerate() {
                let pointer = format!("{pointer}.paths[{index}]");
                self.fields(&pointer, path, &["key", "value", "separator"]);
                let mut text = |name: &str| match path.get(name) {
                    None | Some(Value::Null) => "",
                    Some(Value::String(text)) => text,
                    Some(_) => {
                        self.problem(
                            format!("{pointer}.{name}"),
                            "must be a string: put it between quotation marks",
                        );
                        ""
                    }
                };
                let (key, value, separator) = (text("key"), text("value"), text("separator"));
                let separator = if separator.is_empty() { "." } else { separator };
                entries.push(Entry { pointer, document, operation: word, key, value, separator });
            }
        }
    }

    fn list<'v>(&mut self, pointer: &str, value: &'v Value) -> &'v [Value] {
        match value {
            Value::Array(list) => list,
            Value::Null => &[],
            _ => {
                self.problem(pointer, "must be a list");
                &[]
            }
        }
    }

    fn operation(&mut self, pointer: &str, operation: &Value) -> Option<&'static str> {
        self.fields(pointer, operation, &["operation", "paths"]);
        let pointer = format!("{pointer}.operation");
        let word = match operation.get("operation") {
            Some(Value::String(word)) => word,
            Some(Value::Null) | None if operation.is_object() => {
                self.problem(pointer, format!("is missing: one of {}", OPERATIONS.join(", ")));
                return None;
            }
            Some(_) => {
                self.problem(pointer, "must be a string");
                return None;
            }
            None => return None,
        };
        let known = OPERATIONS.into_iter().find(|known| known == word);
        if known.is_none() {
            let hint = suggestion(word, &OPERATIONS).map_or_else(
                || format!("one of {}", OPERATIONS.join(", ")),
                |known| format!("did you mean '{known}'?"),
            );
            self.problem(pointer, format!("is no operation: {hint}"));
        }
        known
    }

    fn fields(&mut self, pointer: &str, value: &Value, known: &[&str]) {
        let Some(object) = value.as_object() else { return self.problem(pointer, "must be an object") };
        for field in object.keys().filter(|field| !known.contains(&field.as_str())) {
            let hint = suggestion(field, known).map_or_else(
                || format!("there are {}", known.join(", ")),
                |known| format!("did you mean '{known}'?"),
            );
            self.problem(format!("{pointer}.{}", shortened(field)), format!("is no field: {hint}"));
        }
    }
}

/// The known word that was probably meant.
fn suggestion<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word: String = word.chars().take(40).flat_map(char::to_lowercase).collect();
    let distance = |known: &str| strsim::damerau_levenshtein(&word, known);
    known.iter().copied().min_by_key(|known| distance(known)).filter(|known| distance(known) <= 2)
}

fn shortened(field: &str) -> String {
    field.chars().take(40).flat_map(char::escape_debug).collect()
}
