//! Secret values: in place, from a `Secret` object of the file, or from the environment of the command.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use base64::Engine as _;

use super::Lookup;
use super::mistake::{Mistakes, Position, suggestion};
use super::node::{Node, Value};
use super::object::Object;

/// Where secret values come from.
pub struct Secrets<'a> {
    /// By namespace and name.
    objects: HashMap<Name, Values>,
    /// Those of them that something refers to.
    used: RefCell<HashSet<Name>>,
    environment: Lookup<'a>,
}

/// Namespace and name.
type Name = (String, String);

/// What a Secret object holds, and where its name stands.
struct Values {
    at: Position,
    by_key: BTreeMap<String, String>,
    /// Keys that have a mistake of their own.
    broken: HashSet<String>,
}

impl<'a> Secrets<'a> {
    /// Reads the `Secret` objects.
    pub fn new(objects: &[Object], environment: Lookup<'a>, mistakes: &mut Mistakes) -> Secrets<'a> {
        let mut secrets = Secrets { objects: HashMap::new(), used: RefCell::default(), environment };
        for object in objects.iter().filter(|object| object.id.kind == "Secret" && object.group().is_empty())
        {
            let values = read(object, mistakes);
            secrets.objects.insert((object.id.namespace.clone(), object.id.name.clone()), values);
        }
        secrets
    }

    /// Warns of Secrets that nothing refers to. In a whole bridge only: call it when all has been resolved.
    pub fn warn_of_unused(&self, mistakes: &mut Mistakes) {
        let used = self.used.borrow();
        for ((namespace, name), values) in &self.objects {
            if !used.contains(&(namespace.clone(), name.clone())) {
                mistakes.warn(values.at, format!("nothing refers to Secret '{name}'"));
            }
        }
    }

    /// The node as JSON in which every reference to a Secret has become `{"value": …}`, and whether there was one.
    pub fn resolve_within(
        &self,
        node: &Node,
        path: &str,
        namespace: &str,
        mistakes: &mut Mistakes,
    ) -> Option<(serde_json::Value, bool)> {
        match &node.value {
            Value::Map(_) if node.get("valueFromSecret").or_else(|| node.get("secretKeyRef")).is_some() => {
                let value = self.resolve(node, path, namespace, mistakes)?;
                Some((serde_json::json!({ "value": value }), true))
            }
            Value::Map(entries) => {
                let (mut map, mut any) = (serde_json::Map::new(), Some(false));
                for (key, inner) in entries {
                    let path = format!("{path}.{}", key.text);
                    match self.resolve_within(inner, &path, namespace, mistakes) {
                        Some((value, found)) => {
                            map.insert(key.text.clone(), value);
                            any = any.map(|any| any || found);
                        }
                        None => any = None,
                    }
                }
                Some((map.into(), any?))
            }
            Value::List(items) => {
                let (mut list, mut any) = (Vec::new(), Some(false));
                for (number, inner) in items.iter().enumerate() {
                    match self.resolve_within(inner, &format!("{path}[{number}]"), namespace, mistakes) {
                        Some((value, found)) => {
                            list.push(value);
                            any = any.map(|any| any || found);
                        }
                        None => any = None,
                    }
                }
                Some((list.into(), any?))
            }
            _ => Some((node.to_json(), false)),
        }
    }

    /// The value of a field that holds a secret: a scalar, `value`, `valueFromSecret` or `secretKeyRef`.
    pub fn resolve(
        &self,
        node: &Node,
        path: &str,
        namespace: &str,
        mistakes: &mut Mistakes,
    ) -> Option<String> {
        if let Some(text) = node.scalar() {
            return Some(text);
        }
        if !matches!(node.value, Value::Map(_)) {
            mistakes
                .add(node.at, format!("'{path}' must be a string or refer to a Secret, not {}", node.noun()));
            return None;
        }
        const KEYS: [&str; 3] = ["value", "valueFromSecret", "secretKeyRef"];
        for (key, _) in node.entries().iter().filter(|(key, _)| !KEYS.contains(&key.text.as_str())) {
            let hint = suggestion(&key.text, KEYS);
            mistakes.add(key.at, format!("unknown field '{path}.{}'{hint}", key.text));
        }
        // A Secret wins over a value beside it, as it did in the old controller.
        if let Some(reference) = node.get("valueFromSecret").or_else(|| node.get("secretKeyRef")) {
            return self.of_reference(reference, path, namespace, mistakes);
        }
        match node.get("value").map(Node::scalar) {
            Some(Some(text)) => Some(text),
            Some(None) => {
                mistakes.add(node.at, format!("'{path}.value' must be a string"));
                None
            }
            None if node.entries().iter().any(|(key, _)| !KEYS.contains(&key.text.as_str())) => None,
            None => {
                mistakes.add(node.at, format!("'{path}' needs 'value' or 'valueFromSecret' (name, key)"));
                None
            }
        }
    }

    fn of_reference(
        &self,
        reference: &Node,
        path: &str,
        namespace: &str,
        mistakes: &mut Mistakes,
    ) -> Option<String> {
        let part = |key| reference.get(key).and_then(Node::scalar).filter(|text| !text.is_empty());
        let (Some(name), Some(key)) = (part("name"), part("key")) else {
            mistakes.add(reference.at, format!("'{path}': a reference to a Secret needs 'name' and 'key'"));
            return None;
        };
        let full_name = (namespace.to_owned(), name.clone());
        if let Some(values) = self.objects.get(&full_name) {
            self.used.borrow_mut().insert(full_name);
            if let Some(value) = values.by_key.get(&key) {
                return Some(value.clone());
            }
            if !values.broken.contains(&key) {
                let hint = suggestion(&key, values.by_key.keys().map(String::as_str));
                mistakes.add(reference.at, format!("Secret '{name}' has no key '{key}'{hint}"));
            }
            return None;
        }
        let variable = variable(&name, &key);
        let value = (self.environment)(&variable).filter(|value| !value.is_empty());
        if value.is_none() {
            let message =
                format!("no Secret '{name}' in this file, and {variable} is not set in the environment");
            mistakes.add(reference.at, message);
        }
        value
    }
}

/// The variable that stands in for a Secret's key: `<SECRETNAME>_<KEY>`.
fn variable(name: &str, key: &str) -> String {
    let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("{name}_{key}").chars().map(upper).collect()
}

fn read(object: &Object, mistakes: &mut Mistakes) -> Values {
    let (mut values, mut broken) = (BTreeMap::new(), HashSet::new());
    let empty = [];
    for (key, node) in object.node.get("data").map_or(&empty[..], Node::entries) {
        // Line breaks are allowed in it: `base64` writes them.
        let text = node.scalar().map(|text| text.split_whitespace().collect::<String>());
        let bytes = text.and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
        match bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
            Some(value) => drop(values.insert(key.text.clone(), value)),
            None => {
                broken.insert(key.text.clone());
                let message =
                    format!("'data.{}' must be text in base64; plain text goes to 'stringData'", key.text);
                mistakes.add(node.at, message);
            }
        }
    }
    for (key, node) in object.node.get("stringData").map_or(&empty[..], Node::entries) {
        match node.scalar() {
            Some(value) => drop(values.insert(key.text.clone(), value)),
            None => {
                broken.insert(key.text.clone());
                mistakes.add(node.at, format!("'stringData.{}' must be a string", key.text));
            }
        }
    }
    Values { at: object.name_at, by_key: values, broken }
}
