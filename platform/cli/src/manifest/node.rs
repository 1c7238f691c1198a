//! YAML with positions: the tree the manifest reader works on.

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};

use super::mistake::{Mistake, Position};

/// Deeper than any Kubernetes object; it bounds recursion.
const MAX_DEPTH: usize = 64;

/// One value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Of the first character.
    pub at: Position,
    /// What stands there.
    pub value: Value,
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

/// The documents of a YAML text, empty ones left out.
///
/// # Errors
/// The first violation of YAML, a repeated key among them; what follows it cannot be trusted.
pub fn documents(text: &str) -> Result<Vec<Node>, Mistake> {
    let documents = MarkedYaml::load_from_str(text).map_err(|error| {
        let at = Position { line: error.marker().line(), column: error.marker().col() + 1 };
        Mistake::new(at, format!("not valid YAML: {}", error.info()))
    })?;
    let mut nodes = Vec::new();
    for document in &documents {
        let node = convert(document, 0)?;
        if node.value != Value::Null {
            nodes.push(node);
        }
    }
    Ok(nodes)
}

fn convert(yaml: &MarkedYaml<'_>, depth: usize) -> Result<Node, Mistake> {
    let at = Position { line: yaml.span.start.line(), column: yaml.span.start.col() + 1 };
    if depth > MAX_DEPTH {
        return Err(Mistake::new(at, format!("nested more than {MAX_DEPTH} levels deep")));
    }
    let value = match &yaml.data {
        YamlData::Value(scalar) => from_scalar(scalar),
        YamlData::Representation(text, ..) => Value::Text(text.to_string()),
        YamlData::Sequence(items) => {
            Value::List(items.iter().map(|item| convert(item, depth + 1)).collect::<Result<_, _>>()?)
        }
        YamlData::Mapping(entries) => {
            let mut map = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                let key = convert(key, depth + 1)?;
                let Some(text) = key.scalar() else {
                    return Err(Mistake::new(key.at, format!("a key must be a string, not {}", key.noun())));
                };
                map.push((Key { at: key.at, text }, convert(value, depth + 1)?));
            }
            Value::Map(map)
        }
        YamlData::Tagged(_, inner) => return convert(inner, depth + 1),
        YamlData::BadValue | YamlData::Alias(_) => Value::Null,
    };
    Ok(Node { at, value })
}

fn from_scalar(scalar: &Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(value) => Value::Bool(*value),
        Scalar::Integer(value) => Value::Number((*value).into()),
        // Infinity and NaN have no JSON form.
        Scalar::FloatingPoint(value) => serde_json::Number::from_f64(value.into_inner())
            .map_or_else(|| Value::Text(value.to_string()), Value::Number),
        Scalar::String(value) => Value::Text(value.to_string()),
    }
}
