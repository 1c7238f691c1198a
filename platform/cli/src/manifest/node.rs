//! The tree that readers work on: data with positions.

use super::mistake::Position;

/// One value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Of the first character.
    pub at: Position,
    /// What stands there.
    pub value: Value,
    /// Of a text that stands in the file as it is, on one line or as a literal block: where it begins behind its quotes.
    pub text_at: Option<Position>,
}

/// The JSON data model; mappings keep their order and the positions of their keys.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// The key of a mapping entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    pub at: Position,
    pub text: String,
}

impl Node {
    /// The value under `key`, when this is a mapping that has it and it is not null.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let node = &self.entries().iter().find(|(k, _)| k.text == key)?.1;
        (node.value != Value::Null).then_some(node)
    }

    /// The value under a dotted path.
    pub fn path(&self, path: &str) -> Option<&Node> {
        path.split('.').try_fold(self, |node, key| node.get(key))
    }

    /// The entries of a mapping; none for anything else.
    pub fn entries(&self) -> &[(Key, Node)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The text of a scalar as an environment variable has it: strings as they are, numbers and booleans in JSON form.
    pub fn scalar(&self) -> Option<String> {
        match &self.value {
            Value::Bool(value) => Some(value.to_string()),
            Value::Number(value) => Some(value.to_string()),
            Value::Text(value) => Some(value.clone()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The string, when it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The position in the file of a place in the text; both count from 1. `None` where that cannot be told.
    pub fn place(&self, line: usize, column: usize) -> Option<Position> {
        let begin = self.text_at?;
        Some(Position {
            line: begin.line + line.checked_sub(1)?,
            column: begin.column + column.checked_sub(1)?,
        })
    }

    /// The node at a path such as `filters[0].exact.type`, or the nearest above it.
    pub fn nearest(&self, path: &str) -> &Node {
        let mut node = self;
        for step in path.split(['.', '[']).map(|step| step.trim_end_matches(']')) {
            let inner = match (&node.value, step.parse::<usize>()) {
                (Value::List(items), Ok(number)) => items.get(number),
                _ => node.get(step),
            };
            match inner {
                Some(inner) => node = inner,
                None => break,
            }
        }
        node
    }

    /// The same data without positions.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(value) => value.clone().into(),
            Value::Text(value) => value.as_str().into(),
            Value::List(nodes) => nodes.iter().map(Node::to_json).collect(),
            Value::Map(entries) => entries.iter().map(|(k, v)| (k.text.clone(), v.to_json())).collect(),
        }
    }

    /// What it is, for messages.
    pub fn noun(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a string",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}
