//! Has the brokers' own reader look at parts of a trigger, so that what passes here is what a broker takes.

use broker::document::{BrokenDocument, Document, ids::Ids};
use serde_json::{Value as Json, json};

use super::mistake::Mistakes;
use super::node::Node;

/// The name of the one trigger in the document that is made for it.
const PREFIX: &str = "triggers.t.";

/// Adds what a broker would say of the delivery options. The address in them is not its matter yet.
pub fn check_delivery(node: &Node, mistakes: &mut Mistakes) {
    let mut options = node.to_json();
    if let Some(map) = options.as_object_mut() {
        map.remove("deadLetterSink");
    }
    for (path, problem) in problems(json!({ "deliveryOptions": options })) {
        let path = path.strip_prefix("deliveryOptions.").unwrap_or_default();
        mistakes.add(node.nearest(path).at, format!("'spec.delivery.{path}': {problem}"));
    }
}

/// Adds what a broker would say of the bounds; ids are those of the broker, where it is known.
pub fn check_bounds(node: &Node, ids: Option<Ids>, mistakes: &mut Mistakes) {
    let mut add = |within: &str, problem: &str| {
        let place = node.nearest(within.trim_start_matches('.'));
        mistakes.add(place.at, format!("'spec.bounds{within}': {problem}"));
    };
    let document = match read(json!({ "bounds": node.to_json() })) {
        Ok(document) => document,
        Err(problems) => {
            for (path, problem) in problems {
                add(path.strip_prefix("bounds").unwrap_or_default(), &problem);
            }
            return;
        }
    };
    let bounds = document.triggers.iter().find_map(|trigger| trigger.bounds.as_ref());
    for (path, problem) in ids.zip(bounds).map(|(ids, bounds)| ids.problems(bounds)).unwrap_or_default() {
        add(&format!(".{path}"), &problem);
    }
}

/// Adds what a broker would say of one filter, which stands at `path` in the trigger.
pub fn check_filter(filter: &Json, node: &Node, path: &str, mistakes: &mut Mistakes) {
    for (within, problem) in problems(json!({ "filters": [filter] })) {
        let within = within.strip_prefix("filters[0]").unwrap_or_default();
        mistakes.add(node.nearest(within.trim_start_matches('.')).at, format!("'{path}{within}': {problem}"));
    }
}

/// The problems of a document with this one trigger: the path in it, and what is wrong.
fn problems(trigger: Json) -> Vec<(String, String)> {
    read(trigger).err().unwrap_or_default()
}

/// A document with this one trigger, or its problems.
fn read(trigger: Json) -> Result<Document, Vec<(String, String)>> {
    let document = json!({ "triggers": { "t": trigger } });
    let split = |line: &String| {
        let (path, problem) = line.split_once(": ").unwrap_or(("", line));
        (path.strip_prefix(PREFIX).unwrap_or(path).to_owned(), problem.to_owned())
    };
    Document::parse(&document.to_string()).map_err(|BrokenDocument(lines)| lines.iter().map(split).collect())
}
