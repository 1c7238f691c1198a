//! Triggers: which broker, which events, where to.

use serde_json::Map;

use super::document;
use super::mistake::{Mistakes, suggestion};
use super::node::{Node, Value};
use super::object::Object;
use super::reference::{Index, unknown_keys};
use crate::bridge::{Id, Trigger};
use crate::catalogue::Role;

/// The kind and its group.
pub const KIND: &str = "Trigger";
pub const GROUP: &str = "eventing.triggermesh.io";

/// What its `spec` has, for people.
pub const FIELDS: [(&str, &str); 14] = [
    ("spec.broker", "group, kind and name of the broker, in the same namespace"),
    ("spec.filters", "list; an event passes when every filter in it does, and without any"),
    ("spec.filters[].exact", "attributes with the value each must have: {type: com.example.order}"),
    ("spec.filters[].prefix", "attributes with what each must begin with"),
    ("spec.filters[].suffix", "attributes with what each must end with"),
    ("spec.filters[].all, any", "list of filters, all or one of which must pass"),
    ("spec.filters[].not", "a filter that must not pass"),
    ("spec.filters[].cesql", "an expression in CloudEvents SQL: type LIKE 'com.%' AND EXISTS subject"),
    ("spec.target", "where the events go: ref {apiVersion, kind, name}, or uri"),
    ("spec.delivery.retry", "how often a failed delivery is tried again"),
    ("spec.delivery.backoffPolicy", "constant, linear or exponential"),
    ("spec.delivery.backoffDelay", "the first pause, as PT0.5S or 500ms"),
    ("spec.delivery.deadLetterSink", "where an event goes that cannot be delivered: ref, or uri"),
    (
        "spec.delivery.timeout, concurrency, orderBy",
        "of one attempt; attempts at a time; attribute to keep the order by",
    ),
];

const DIALECTS: [&str; 7] = ["exact", "prefix", "suffix", "all", "any", "not", "cesql"];
/// What a broker takes as it is written; `deadLetterSink` is an address and goes apart.
const OPTIONS: [&str; 6] = ["retry", "backoffPolicy", "backoffDelay", "timeout", "concurrency", "orderBy"];

/// A trigger and the broker it belongs to.
pub fn read(object: &Object, index: &Index, mistakes: &mut Mistakes) -> Option<(Id, Trigger)> {
    let spec = object.spec();
    let before = mistakes.count();
    unknown_keys(&spec, "spec", &["broker", "filters", "target", "delivery", "bounds"], mistakes);
    let namespace = &object.id.namespace;
    let broker = broker(object, &spec, index, mistakes);
    let filters = spec.get("filters").map(|node| filters(node, "spec.filters", mistakes)).unwrap_or_default();
    if let Some(bounds) = spec.get("bounds") {
        mistakes.add(bounds.at, "'spec.bounds': a MemoryBroker keeps no past events and cannot replay them");
    }
    let mut trigger = Trigger {
        name: object.id.name.clone(),
        filters: filters.into(),
        target: None,
        delivery: Map::new(),
        dead_letter: None,
    };
    match spec.get("target") {
        Some(node) => trigger.target = index.destination(node, "spec.target", namespace, mistakes),
        None => {
            mistakes.add(object.at, format!("{} has no 'spec.target': where do its events go?", object.id))
        }
    }
    if let Some(delivery) = spec.get("delivery") {
        let mut known = OPTIONS.to_vec();
        known.push("deadLetterSink");
        unknown_keys(delivery, "spec.delivery", &known, mistakes);
        for option in OPTIONS {
            if let Some(value) = delivery.get(option) {
                trigger.delivery.insert(option.to_owned(), value.to_json());
            }
        }
        if let Some(node) = delivery.get("deadLetterSink") {
            trigger.dead_letter =
                index.destination(node, "spec.delivery.deadLetterSink", namespace, mistakes);
        }
    }
    // Where the outline is wrong already the details would only say it again.
    if mistakes.count() == before {
        document::check(&spec, mistakes);
    }
    Some((broker?, trigger))
}

fn broker(object: &Object, spec: &Node, index: &Index, mistakes: &mut Mistakes) -> Option<Id> {
    let Some(node) = spec.get("broker") else {
        mistakes.add(object.at, format!("{} has no 'spec.broker' (group, kind, name)", object.id));
        return None;
    };
    let id = index.component(node, "spec.broker", &object.id.namespace, mistakes)?;
    if index.role(&id) != Some(Role::Broker) {
        mistakes.add(node.at, format!("'spec.broker': {id} is not a broker"));
        return None;
    }
    if id.namespace != object.id.namespace {
        mistakes.add(node.at, "'spec.broker' must be in the namespace of the trigger");
        return None;
    }
    Some(id)
}

/// Filters in the one form a broker needs: empty dialects, which tmctl writes out, are left away.
fn filters(node: &Node, path: &str, mistakes: &mut Mistakes) -> Vec<serde_json::Value> {
    let Value::List(items) = &node.value else {
        mistakes.add(node.at, format!("'{path}' must be a list of filters, not {}", node.noun()));
        return Vec::new();
    };
    let one = |(number, item)| filter(item, &format!("{path}[{number}]"), mistakes);
    items.iter().enumerate().filter_map(one).collect()
}

fn filter(node: &Node, path: &str, mistakes: &mut Mistakes) -> Option<serde_json::Value> {
    if !matches!(node.value, Value::Map(_)) {
        mistakes.add(
            node.at,
            format!("'{path}' must be a filter ({}), not {}", DIALECTS.join(", "), node.noun()),
        );
        return None;
    }
    let mut known = true;
    for (key, _) in node.entries().iter().filter(|(key, _)| !DIALECTS.contains(&key.text.as_str())) {
        let hint = suggestion(&key.text, DIALECTS);
        mistakes.add(key.at, format!("unknown filter '{}' in '{path}'{hint}", key.text));
        known = false;
    }
    let mut filled = node
        .entries()
        .iter()
        .filter(|(key, value)| DIALECTS.contains(&key.text.as_str()) && !is_empty(value));
    let Some((key, value)) = filled.next() else {
        if known {
            mistakes.add(node.at, format!("'{path}' is empty; one of {} was expected", DIALECTS.join(", ")));
        }
        return None;
    };
    if let Some((second, _)) = filled.next() {
        let message = format!("'{path}' has '{}' beside '{}': put both under 'all'", second.text, key.text);
        mistakes.add(second.at, message);
    }
    let path = format!("{path}.{}", key.text);
    let value = match (key.text.as_str(), &value.value) {
        ("all" | "any", _) | ("not", Value::List(_)) => filters(value, &path, mistakes).into(),
        ("not", _) => filter(value, &path, mistakes)?,
        _ => value.to_json(),
    };
    Some(serde_json::json!({ key.text.as_str(): value }))
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::List(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        Value::Text(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
