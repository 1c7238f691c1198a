//! Kubernetes objects in a YAML text: several documents, `List`s flattened.

use std::collections::{BTreeMap, HashSet};

use super::mistake::{Mistakes, Position, suggestion};
use super::node::{Node, Value};
use crate::bridge::Id;

/// The namespace of an object that names none.
pub const DEFAULT_NAMESPACE: &str = "default";

/// The members of an object; the last four are those of Secrets.
const MEMBERS: [&str; 9] =
    ["apiVersion", "kind", "metadata", "spec", "status", "type", "data", "stringData", "immutable"];

/// One object of the manifest.
pub struct Object {
    pub api_version: String,
    pub id: Id,
    /// Of `kind`.
    pub at: Position,
    /// Of `metadata.name`.
    pub name_at: Position,
    /// The object itself.
    pub node: Node,
}

impl Object {
    /// The API group: empty for Kubernetes' own.
    pub fn group(&self) -> &str {
        group_of(&self.api_version)
    }

    /// The texts of a mapping in `metadata`.
    pub fn metadata(&self, name: &str) -> BTreeMap<String, String> {
        let map = self.node.get("metadata").and_then(|metadata| metadata.get(name));
        let entries = map.map_or(&[][..], Node::entries).iter();
        entries.filter_map(|(key, value)| Some((key.text.clone(), value.scalar()?))).collect()
    }

    /// `spec`; an empty mapping where there is none.
    pub fn spec(&self) -> Node {
        let empty = || Node { at: self.at, value: Value::Map(Vec::new()), text_at: None };
        self.node.get("spec").cloned().unwrap_or_else(empty)
    }
}

/// The group in an `apiVersion`.
pub fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// All objects of the documents; `namespace` is that of those that name none. One that lacks kind, apiVersion or name is
/// reported and left out; its name joins the `unread` ones.
pub fn objects(
    documents: Vec<Node>,
    namespace: &str,
    unread: &mut HashSet<String>,
    mistakes: &mut Mistakes,
) -> Vec<Object> {
    let mut found = Vec::new();
    for document in documents {
        collect(document, namespace, &mut found, unread, mistakes);
    }
    found
}

fn collect(
    node: Node,
    namespace: &str,
    found: &mut Vec<Object>,
    unread: &mut HashSet<String>,
    mistakes: &mut Mistakes,
) {
    if !matches!(node.value, Value::Map(_)) {
        mistakes.add(node.at, format!("expected a Kubernetes object, not {}", node.noun()));
        return;
    }
    if node.get("kind").and_then(Node::text) == Some("List") {
        match node.get("items").map(|items| &items.value) {
            Some(Value::List(items)) => {
                items.iter().for_each(|item| collect(item.clone(), namespace, found, unread, mistakes));
            }
            _ => mistakes.add(node.at, "a List needs 'items', a list of objects"),
        }
        return;
    }
    for (key, _) in node.entries().iter().filter(|(key, _)| !MEMBERS.contains(&key.text.as_str())) {
        mistakes.add(key.at, format!("unknown field '{}'{}", key.text, suggestion(&key.text, MEMBERS)));
    }
    let kind = required(&node, "kind", mistakes);
    let api_version = required(&node, "apiVersion", mistakes);
    let name = required(&node, "metadata.name", mistakes);
    let (at, kind, api_version, name_at, name) = match (kind, api_version, name) {
        (Some((at, kind)), Some((_, version)), Some((name_at, name))) => (at, kind, version, name_at, name),
        (_, _, name) => {
            unread.extend(name.map(|(_, name)| name));
            return;
        }
    };
    let namespace = match node.path("metadata.namespace") {
        Some(own) => own.scalar().unwrap_or_else(|| namespace.to_owned()),
        None => namespace.to_owned(),
    };
    found.push(Object { api_version, id: Id { kind, namespace, name }, at, name_at, node });
}

fn required(node: &Node, path: &str, mistakes: &mut Mistakes) -> Option<(Position, String)> {
    let Some(value) = node.path(path) else {
        mistakes.add(node.at, format!("the object has no '{path}'"));
        return None;
    };
    match value.scalar() {
        Some(text) if !text.is_empty() => Some((value.at, text)),
        _ => {
            mistakes.add(value.at, format!("'{path}' must be a string, not {}", value.noun()));
            None
        }
    }
}
