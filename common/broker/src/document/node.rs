//! One value of the configuration document, whichever of JSON and YAML it was written in, and the path to it.
//!
//! The document is read in two steps, first into this tree and then into triggers, so that a mistake is named by
//! trigger and field, and so that absent, `null` and empty are alike, as the old brokers took them.

use std::fmt;

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// A value of the document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A boolean or another number: never what a field wants.
    Scalar(String),
    List(Vec<Node>),
    Map(IndexMap<String, Node>),
}

/// What is wrong with a document: one line for each mistake, with the path to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Problems(pub Vec<String>);

impl Problems {
    /// Notes a mistake at a path and gives `None`, so that a reader can end with it.
    pub fn add<T>(&mut self, path: &str, problem: impl fmt::Display) -> Option<T> {
        self.0.push(format!("{path}: {problem}"));
        None
    }
}

impl Node {
    /// Reads JSON, else YAML; the parsers bound nesting and the expansion of aliases.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim_start().starts_with('{')
            && let Ok(node) = serde_json::from_str(text)
        {
            return Ok(node);
        }
        serde_saphyr::from_str(text).map_err(|error| {
            // The first line says what and where; the rest would print the document, credentials and all.
            let text = error.without_snippet().to_string();
            text.lines().next().unwrap_or_default().to_owned()
        })
    }

    /// The members of a map; `null` is an empty one.
    pub fn map(&self, path: &str, problems: &mut Problems) -> Option<&IndexMap<String, Node>> {
        static EMPTY: std::sync::LazyLock<IndexMap<String, Node>> = std::sync::LazyLock::new(IndexMap::new);
        match self {
            Self::Map(map) => Some(map),
            Self::Null => Some(&EMPTY),
            other => problems.add(path, format_args!("expected an object, found {}", other.kind())),
        }
    }

    /// The text of a member; absent, `null` and empty are `None`.
    pub fn text<'a>(
        map: &'a IndexMap<String, Node>,
        key: &str,
        path: &str,
        problems: &mut Problems,
    ) -> Option<&'a str> {
        match map.get(key)? {
            Self::Null => None,
            Self::Text(text) => (!text.is_empty()).then_some(text),
            other => problems.add(&format!("{path}.{key}"), other.not_text()),
        }
    }

    /// The whole number of a member within a range; absent and `null` are `None`.
    pub fn integer(
        map: &IndexMap<String, Node>,
        key: &str,
        range: std::ops::RangeInclusive<u32>,
        path: &str,
        problems: &mut Problems,
    ) -> Option<u32> {
        let found = match map.get(key)? {
            Self::Null => return None,
            Self::Integer(number) => *number,
            _ => -1,
        };
        match u32::try_from(found) {
            Ok(number) if range.contains(&number) => Some(number),
            _ => problems.add(
                &format!("{path}.{key}"),
                format_args!("expected a whole number from {} to {}", range.start(), range.end()),
            ),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::List(list) => list.is_empty(),
            Self::Map(map) => map.is_empty(),
            Self::Integer(_) | Self::Scalar(_) => false,
        }
    }

    /// Why this is not the text it should be; never the value, which may be a password.
    pub fn not_text(&self) -> String {
        match self {
            Self::Integer(_) | Self::Scalar(_) => {
                format!("expected text, found {}: put it in quotes", self.kind())
            }
            _ => format!("expected text, found {}", self.kind()),
        }
    }

    /// The kind of value, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Text(_) => "text",
            Self::Integer(_) => "a number",
            Self::Scalar(_) => "a number or a boolean",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of the configuration document")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(i64::try_from(value).map_or_else(|_| Node::Scalar(value.to_string()), Node::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = access.next_element()? {
            list.push(node);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut map = IndexMap::new();
        while let Some((key, node)) = access.next_entry::<String, Node>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format_args!("'{}' stands twice", key.escape_default())));
            }
            map.insert(key, node);
        }
        Ok(Node::Map(map))
    }
}
