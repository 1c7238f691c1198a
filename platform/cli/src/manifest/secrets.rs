//! Secret values: in place, from a `Secret` object of the file, or from the environment of the command.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use base64::Engine as _;

use super::Platform;
use super::mistake::{Mistakes, Position, suggestion};
use super::node::{Node, Value};
use super::object::Object;
use crate::bridge::{Origin, Secret, SecretKey};

/// Where secret values come from.
pub struct Secrets<'a> {
    /// By namespace and name.
    objects: HashMap<Name, Values>,
    /// The same of `ConfigMap` objects, where longer texts may be that are no secrets.
    maps: HashMap<Name, BTreeMap<String, String>>,
    /// Those of them that something refers to.
    used: RefCell<HashSet<Name>>,
    platform: Platform<'a>,
}

/// Namespace and name.
type Name = (String, String);

/// Where in a JSON value a node stands.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// For people, from the top of the object.
    pub path: &'a str,
    /// From the top of the value (RFC 6901).
    pub pointer: &'a str,
    /// Of the object.
    pub namespace: &'a str,
}

/// What a Secret object holds, and where its name stands.
struct Values {
    at: Position,
    by_key: BTreeMap<String, String>,
    /// Keys that have a mistake of their own.
    broken: HashSet<String>,
}

impl<'a> Secrets<'a> {
    /// Reads the `Secret` objects.
    pub fn new(objects: &[Object], platform: Platform<'a>, mistakes: &mut Mistakes) -> Secrets<'a> {
        let mut secrets =
            Secrets { objects: HashMap::new(), maps: HashMap::new(), used: RefCell::default(), platform };
        for object in
            objects.iter().filter(|object| object.id.kind == "ConfigMap" && object.group().is_empty())
        {
            let texts = texts(object, "data", mistakes);
            secrets.maps.insert((object.id.namespace.clone(), object.id.name.clone()), texts);
        }
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

    /// The node as JSON in which every reference to a Secret has become `{"value": …}`; the places of these and of other
    /// members that hold secrets are added to `parts`.
    pub fn resolve_within(
        &self,
        node: &Node,
        place: Place<'_>,
        parts: &mut Vec<(String, Option<SecretKey>)>,
        mistakes: &mut Mistakes,
    ) -> Option<serde_json::Value> {
        match &node.value {
            Value::Map(_) if node.get("valueFromSecret").or_else(|| node.get("secretKeyRef")).is_some() => {
                let secret = self.resolve(node, place.path, place.namespace, mistakes)?;
                let key = match secret.origin {
                    Origin::Key(key) => Some(key),
                    _ => None,
                };
                parts.push((place.pointer.to_owned(), key));
                Some(serde_json::json!({ "value": secret.text.unwrap_or_default() }))
            }
            Value::Map(entries) => {
                let mut map = Some(serde_json::Map::new());
                for (key, inner) in entries {
                    let path = format!("{}.{}", place.path, key.text);
                    let step = key.text.replace('~', "~0").replace('/', "~1");
                    let pointer = format!("{}/{step}", place.pointer);
                    if is_secret(&key.text, inner) {
                        parts.push((pointer.clone(), None));
                    }
                    let place = Place { path: &path, pointer: &pointer, ..place };
                    let value = self.resolve_within(inner, place, parts, mistakes);
                    map = map.zip(value).map(|(mut map, value)| {
                        map.insert(key.text.clone(), value);
                        map
                    });
                }
                Some(map?.into())
            }
            Value::List(items) => {
                let mut list = Some(Vec::new());
                for (number, inner) in items.iter().enumerate() {
                    let path = format!("{}[{number}]", place.path);
                    let pointer = format!("{}/{number}", place.pointer);
                    let place = Place { path: &path, pointer: &pointer, ..place };
                    let value = self.resolve_within(inner, place, parts, mistakes);
                    list = list.zip(value).map(|(mut list, value)| {
                        list.push(value);
                        list
                    });
                }
                Some(list?.into())
            }
            _ => Some(node.to_json()),
        }
    }

    /// The value of a field that may hold a secret: a scalar, `value`, `valueFromSecret`, `secretKeyRef` or
    /// `valueFromConfigMap`.
    pub fn resolve(
        &self,
        node: &Node,
        path: &str,
        namespace: &str,
        mistakes: &mut Mistakes,
    ) -> Option<Secret> {
        let in_place = |text| Some(Secret { text: Some(text), origin: Origin::Field });
        if let Some(text) = node.scalar() {
            return in_place(text);
        }
        if !matches!(node.value, Value::Map(_)) {
            mistakes
                .add(node.at, format!("'{path}' must be a string or refer to a Secret, not {}", node.noun()));
            return None;
        }
        const KEYS: [&str; 4] = ["value", "valueFromSecret", "secretKeyRef", "valueFromConfigMap"];
        for (key, _) in node.entries().iter().filter(|(key, _)| !KEYS.contains(&key.text.as_str())) {
            let hint = suggestion(&key.text, KEYS);
            mistakes.add(key.at, format!("unknown field '{path}.{}'{hint}", key.text));
        }
        // A Secret wins over a value beside it, as it did in the old controller.
        if let Some(reference) = node.get("valueFromSecret").or_else(|| node.get("secretKeyRef")) {
            return self.of_reference(reference, path, namespace, mistakes);
        }
        if let Some(reference) = node.get("valueFromConfigMap") {
            return self.of_map(reference, path, namespace, mistakes).and_then(in_place);
        }
        match node.get("value").map(Node::scalar) {
            Some(Some(text)) => in_place(text),
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

    /// The text of a ConfigMap, which must stand in the same file: for all that comes of it, it is as good as in place.
    fn of_map(
        &self,
        reference: &Node,
        path: &str,
        namespace: &str,
        mistakes: &mut Mistakes,
    ) -> Option<String> {
        let part = |key| reference.get(key).and_then(Node::scalar).filter(|text| !text.is_empty());
        let (Some(name), Some(key)) = (part("name"), part("key")) else {
            mistakes
                .add(reference.at, format!("'{path}': a reference to a ConfigMap needs 'name' and 'key'"));
            return None;
        };
        let Some(texts) = self.maps.get(&(namespace.to_owned(), name.clone())) else {
            mistakes.add(reference.at, format!("no ConfigMap '{name}' in this file"));
            return None;
        };
        let found = texts.get(&key).cloned();
        if found.is_none() {
            let hint = suggestion(&key, texts.keys().map(String::as_str));
            mistakes.add(reference.at, format!("ConfigMap '{name}' has no key '{key}'{hint}"));
        }
        found
    }

    fn of_reference(
        &self,
        reference: &Node,
        path: &str,
        namespace: &str,
        mistakes: &mut Mistakes,
    ) -> Option<Secret> {
        let part = |key| reference.get(key).and_then(Node::scalar).filter(|text| !text.is_empty());
        let (Some(name), Some(key)) = (part("name"), part("key")) else {
            mistakes.add(reference.at, format!("'{path}': a reference to a Secret needs 'name' and 'key'"));
            return None;
        };
        let full_name = (namespace.to_owned(), name.clone());
        if let Some(values) = self.objects.get(&full_name) {
            self.used.borrow_mut().insert(full_name);
            if let Some(value) = values.by_key.get(&key) {
                let text = Some(value.clone());
                return Some(Secret { text, origin: Origin::Key(SecretKey { name, key }) });
            }
            if !values.broken.contains(&key) {
                let hint = suggestion(&key, values.by_key.keys().map(String::as_str));
                mistakes.add(reference.at, format!("Secret '{name}' has no key '{key}'{hint}"));
            }
            return None;
        }
        let key = SecretKey { name, key };
        let Platform::Here(environment) = self.platform else {
            return Some(Secret { text: None, origin: Origin::Key(key) });
        };
        let variable = key.variable();
        let text = environment(&variable).filter(|value| !value.is_empty());
        if text.is_none() {
            let message = format!(
                "no Secret '{}' in this file, and {variable} is not set in the environment",
                key.name
            );
            mistakes.add(reference.at, message);
        }
        Some(Secret { text: Some(text?), origin: Origin::Key(key) })
    }
}

/// Whether a member of a JSON value holds a secret in place: it is written as fields for secrets are, or named like one.
/// An item of a list is none: `paths: [{value: x}]` is a step of a transformation.
fn is_secret(name: &str, node: &Node) -> bool {
    let is_value =
        matches!(node.entries(), [(key, value)] if key.text == "value" && value.scalar().is_some());
    is_value || (name == "password" && node.scalar().is_some())
}

/// The members of a part of an object that are texts; others are mistakes.
fn texts(object: &Object, part: &str, mistakes: &mut Mistakes) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for (key, node) in object.node.get(part).map_or(&[][..], Node::entries) {
        match node.scalar() {
            Some(value) => drop(texts.insert(key.text.clone(), value)),
            None => mistakes.add(node.at, format!("'{part}.{}' must be a string", key.text)),
        }
    }
    texts
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
