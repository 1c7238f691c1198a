//! One field of a spec to the value of one variable.

use std::collections::BTreeMap;

use super::mistake::Mistakes;
use super::node::{Node, Value};
use super::secrets::{Place, Secrets};
use crate::bridge::{Id, Origin, Secret, Setting};
use crate::catalogue::{Field, Rule};

/// The value a field means, or none with the mistake noted.
pub fn apply(
    field: &Field,
    node: &Node,
    id: &Id,
    secrets: &Secrets<'_>,
    mistakes: &mut Mistakes,
) -> Option<Setting> {
    let path = format!("spec.{}", field.path);
    let mut wrong = |expected: &str| {
        mistakes.add(node.at, format!("'{path}' must be {expected}, not {}", node.noun()));
        None
    };
    match field.rule {
        Rule::Value => match node.scalar() {
            Some(text) => Some(Setting::Text(text)),
            None => wrong("a single value"),
        },
        Rule::Secret => secrets.resolve(node, &path, &id.namespace, mistakes).map(Setting::Secret),
        Rule::File => secrets.resolve(node, &path, &id.namespace, mistakes).map(Setting::SecretFile),
        Rule::Join => match scalars(node) {
            Some(items) => Some(Setting::Text(items.join(field.separator.as_deref().unwrap_or(",")))),
            None => wrong("a list of single values"),
        },
        Rule::Map => match pairs(node) {
            Some(pairs) => Some(Setting::Text(pairs.join(","))),
            None => wrong("a mapping of single values"),
        },
        Rule::Cluster => None,
        Rule::Json => {
            let mut parts = Vec::new();
            let place = Place { path: &path, pointer: "", namespace: &id.namespace };
            let text = secrets.resolve_within(node, place, &mut parts, mistakes)?.to_string();
            if parts.is_empty() {
                return Some(Setting::Text(text));
            }
            Some(Setting::Secret(Secret { text: Some(text), origin: Origin::Parts(parts) }))
        }
    }
}

/// A default with the object's own names filled in.
pub fn fill(default: &str, id: &Id) -> String {
    default.replace("{namespace}", &id.namespace).replace("{name}", &id.name)
}

fn scalars(node: &Node) -> Option<Vec<String>> {
    match &node.value {
        Value::List(items) => items.iter().map(Node::scalar).collect(),
        _ => None,
    }
}

fn pairs(node: &Node) -> Option<Vec<String>> {
    let Value::Map(entries) = &node.value else { return None };
    let pairs: Option<BTreeMap<&str, String>> =
        entries.iter().map(|(key, value)| Some((key.text.as_str(), value.scalar()?))).collect();
    Some(pairs?.into_iter().map(|(key, value)| format!("{key}:{value}")).collect())
}
