//! Has the brokers' own reader look at a trigger, so that what passes here is what a broker takes.

use broker::document::{BrokenDocument, Document};
use serde_json::json;

use super::mistake::Mistakes;
use super::node::{Node, Value};

/// The name of the one trigger in the document that is made for it.
const PREFIX: &str = "triggers.t.";

/// Adds what a broker would say of the filters and the delivery options of a trigger's `spec`.
pub fn check(spec: &Node, mistakes: &mut Mistakes) {
    let part = |key| spec.get(key).map(Node::to_json);
    let mut options = part("delivery").unwrap_or_default();
    if let Some(map) = options.as_object_mut() {
        map.remove("deadLetterSink");
    }
    let document = json!({ "triggers": { "t": { "filters": part("filters"), "deliveryOptions": options } } });
    let Err(BrokenDocument(lines)) = Document::parse(&document.to_string()) else { return };
    for line in lines {
        let (path, problem) = line.split_once(": ").unwrap_or(("", &line));
        let path = path.strip_prefix(PREFIX).unwrap_or(path).replace("deliveryOptions", "delivery");
        mistakes.add(place(spec, &path).at, format!("'spec.{path}': {problem}"));
    }
}

/// The node at a path such as `filters[0].exact.type`, or the nearest above it.
fn place<'n>(spec: &'n Node, path: &str) -> &'n Node {
    let steps = path.split(['.', '[']).map(|step| step.trim_end_matches(']'));
    let descend = |node: &'n Node, step: &str| match (&node.value, step.parse::<usize>()) {
        (Value::List(items), Ok(number)) => items.get(number),
        _ => node.get(step),
    };
    let mut node = spec;
    for step in steps {
        match descend(node, step) {
            Some(inner) => node = inner,
            None => break,
        }
    }
    node
}
