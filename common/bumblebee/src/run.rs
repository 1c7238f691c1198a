//! One event's way through the steps.

use std::fmt;

use common::{Event, Text};
use smallvec::{SmallVec, smallvec};

use crate::{
    Error, context, number,
    path::Path,
    spec::{Action, Operand, Spec, Step},
    template::{Part, Template},
    tree::{Document, Id, Pruned, Tree},
};

/// The most bytes that a text made by a step, or transformed data, may have.
pub const MAX_BYTES: usize = 256 << 20;

const JSON: &str = "application/json";

/// Why a step had no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The data is no JSON, or too deep.
    InvalidData,
    /// Nothing stands at the path.
    Missing,
    /// What should be parsed is no string.
    NotString,
    /// What should be parsed is no JSON.
    NotJson,
    /// What should be parsed has a format other than JSON.
    Format,
    /// An object would have to be merged into an array.
    IntoArray,
    /// The text would be larger than [`MAX_BYTES`].
    TooLarge,
}

impl Reason {
    /// A few words without white space, as for a label of a metric.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::InvalidData => "invalid_data",
            Self::Missing => "missing",
            Self::NotString => "not_a_string",
            Self::NotJson => "not_json",
            Self::Format => "unknown_format",
            Self::IntoArray => "object_into_array",
            Self::TooLarge => "too_large",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidData => "the data is no JSON, or too deep",
            Self::Missing => "nothing stands at the path",
            Self::NotString => "the value to parse is no string",
            Self::NotJson => "the string to parse is no JSON",
            Self::Format => "only 'json' can be parsed",
            Self::IntoArray => "an object cannot be merged into an array",
            Self::TooLarge => "the text is too large",
        })
    }
}

/// A variable during one event.
#[derive(Debug, Clone, Copy)]
enum Variable {
    /// No step has set it.
    Unset,
    /// Set to nothing: the path led nowhere, or to `null`.
    Nothing,
    Value(Id),
}

/// What the steps see of one event.
struct Run<'a> {
    tree: Tree<'a>,
    variables: SmallVec<[Variable; 8]>,
    /// Whether the data must be written again.
    changed: bool,
}

/// Applies all steps.
pub(crate) fn run(
    spec: &Spec,
    mut event: Event,
    mut unapplied: impl FnMut(&str, Reason),
) -> Result<Event, Error> {
    let content_type = event.data_content_type().unwrap_or_default();
    if !is_json(content_type) {
        return Err(Error::ContentType(content_type.chars().take(80).collect()));
    }
    let has = |document| spec.steps.iter().any(|step| step.document == document);
    let mut changes = Vec::new();
    let mut written = None;
    if !spec.steps.is_empty() {
        let body = event.data().filter(|_| has(Document::Data)).map_or(&[][..], |data| data);
        let mut run = Run {
            tree: Tree::with_capacity(body.len() / 16 + 32),
            variables: smallvec![Variable::Unset; spec.variables.len()],
            changed: false,
        };
        if has(Document::Context) {
            context::load(&mut run.tree, &event);
        }
        if let Some(root) = std::str::from_utf8(body).ok().and_then(|text| run.tree.read(text)) {
            run.tree.set_root(Document::Data, root);
        }
        for first in [true, false] {
            for step in spec.steps.iter().filter(|step| step.action.is_first() == first) {
                if let Err(reason) = run.step(step) {
                    unapplied(&step.pointer, reason);
                }
            }
        }
        if has(Document::Context) {
            changes = context::changes(&run.tree, &event)?;
        }
        if let Some(root) = run.tree.root(Document::Data).filter(|_| run.changed) {
            let mut out = Vec::with_capacity(body.len() + body.len() / 8 + 64);
            if !run.tree.write(root, &mut out, MAX_BYTES) {
                return Err(Error::TooLarge);
            }
            written = Some(out);
        }
    }
    context::change(&mut event, changes)?;
    if event.data_content_type() != Some(JSON) {
        event.set("datacontenttype", Text::from_static(JSON)).map_err(Error::Attribute)?;
    }
    if let Some(written) = written {
        event.replace_data(Some(written.into()));
    }
    Ok(event)
}

/// Whether the content type holds `application/json`, with whatever parameters.
fn is_json(content_type: &str) -> bool {
    content_type == JSON || content_type.to_ascii_lowercase().contains(JSON)
}

impl Action {
    /// Whether it belongs to those that come before all others.
    fn is_first(&self) -> bool {
        matches!(self, Self::Store { .. } | Self::Parse { .. })
    }
}

impl<'a> Run<'a> {
    fn step(&mut self, step: &'a Step) -> Result<(), Reason> {
        let document = step.document;
        if self.tree.root(document).is_none() {
            return Err(Reason::InvalidData);
        }
        match &step.action {
            Action::Store { variable, path } => {
                let value = path.as_ref().and_then(|path| self.tree.get(document, path));
                let value = value.filter(|value| !self.tree.is_null(*value));
                if let Some(variable) = self.variables.get_mut(*variable) {
                    *variable = value.map_or(Variable::Nothing, Variable::Value);
                }
                value.map(|value| self.tree.keep(value)).ok_or(Reason::Missing)
            }
            Action::Parse { json: false, .. } => Err(Reason::Format),
            Action::Parse { path, .. } => {
                let path = path.as_ref().ok_or(Reason::Missing)?;
                let value = self.tree.get(document, path).ok_or(Reason::Missing)?;
                let text = self.tree.string(value).ok_or(Reason::NotString)?.into_owned();
                let parsed = self.tree.read(text).ok_or(Reason::NotJson)?;
                self.add(document, path, parsed)
            }
            Action::Add { path, value } => {
                let value = self.compose(value)?;
                self.add(document, path, value)
            }
            Action::Delete { path, value } => {
                let value = value.as_ref().map(|value| self.text(value));
                let pruned = Pruned { path: path.as_deref(), value: value.as_deref() };
                let found = self.tree.prune(document, pruned);
                self.changed |= document == Document::Data;
                // A value that is not there is what a filter is for; a path that is not there may be a mistake.
                if found || value.is_some() { Ok(()) } else { Err(Reason::Missing) }
            }
            Action::Shift { from, to, guard } => {
                let from = from.as_ref().ok_or(Reason::Missing)?;
                let value = self.tree.get(document, from).filter(|value| !self.tree.is_null(*value));
                let value = value.ok_or(Reason::Missing)?;
                if guard.as_ref().is_some_and(|guard| !self.passes(guard, value)) {
                    return Ok(());
                }
                let taken = self.tree.take(document, from).ok_or(Reason::Missing)?;
                if !self.tree.add(document, to, taken.value) {
                    self.tree.put_back(&taken);
                    return Err(Reason::IntoArray);
                }
                self.changed |= document == Document::Data;
                Ok(())
            }
        }
    }

    /// Merges a value at a path. The document is written anew even when it cannot take the value, as in the original.
    fn add(&mut self, document: Document, path: &Path, value: Id) -> Result<(), Reason> {
        self.changed |= document == Document::Data;
        if self.tree.add(document, path, value) { Ok(()) } else { Err(Reason::IntoArray) }
    }

    fn variable(&self, index: usize) -> Variable {
        self.variables.get(index).copied().unwrap_or(Variable::Unset)
    }

    /// What a value to compare with is as text: that of the variable, when it holds a string.
    fn text(&self, operand: &Operand) -> String {
        let stored = match operand.variable.map(|index| self.variable(index)) {
            Some(Variable::Value(id)) => self.tree.string(id),
            _ => None,
        };
        stored.map_or_else(|| operand.text.clone(), |text| text.into_owned())
    }

    /// Whether a value is what a guard wants: a literal is a string, a variable has the type of its value.
    fn passes(&self, guard: &Operand, value: Id) -> bool {
        let tree = &self.tree;
        let Some(Variable::Value(wanted)) = guard.variable.map(|index| self.variable(index)) else {
            return tree.string(value).is_some_and(|text| text == guard.text);
        };
        match (tree.string(wanted), tree.number(wanted), tree.bool(wanted)) {
            (Some(text), ..) => tree.string(value) == Some(text),
            (_, Some(wanted), _) => tree.number(value).is_some_and(|number| number::equal(number, wanted)),
            (.., Some(flag)) => tree.bool(value) == Some(flag),
            _ => false,
        }
    }

    /// The value of a template for this event.
    fn compose(&mut self, template: &'a Template) -> Result<Id, Reason> {
        match template {
            Template::Text(text) => Ok(self.tree.text(text.as_str())),
            Template::Variable(index, name) => Ok(match self.variable(*index) {
                Variable::Value(id) => id,
                _ => self.tree.text(name.as_str()),
            }),
            Template::Parts(parts) => {
                let mut out = Vec::new();
                self.parts(parts, &mut out)?;
                // Made of texts and JSON, both UTF-8.
                let text = String::from_utf8(out).unwrap_or_default();
                Ok(self.tree.text(text))
            }
        }
    }

    fn parts(&self, parts: &[Part], out: &mut Vec<u8>) -> Result<(), Reason> {
        for part in parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Variable(index, name) => match self.variable(*index) {
                    Variable::Value(id) => self.print(id, out)?,
                    _ => out.extend_from_slice(name.as_bytes()),
                },
                Part::Group(inner) => {
                    let states = inner.iter().filter_map(|part| match part {
                        Part::Variable(index, _) => Some(self.variable(*index)),
                        _ => None,
                    });
                    if states.clone().all(|state| matches!(state, Variable::Unset)) {
                        out.push(b'(');
                        self.parts(inner, out)?;
                        out.push(b')');
                    } else if !states.clone().any(|state| matches!(state, Variable::Nothing)) {
                        self.parts(inner, out)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Appends a value as it stands in a text: a string without quotation marks, everything else as JSON.
    fn print(&self, id: Id, out: &mut Vec<u8>) -> Result<(), Reason> {
        let fits = match self.tree.string(id) {
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                out.len() <= MAX_BYTES
            }
            None => self.tree.write(id, out, MAX_BYTES),
        };
        if fits { Ok(()) } else { Err(Reason::TooLarge) }
    }
}
