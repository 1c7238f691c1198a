//! Filters of triggers, in the one form a broker needs; each part that a broker would refuse is a mistake at its place.

use serde_json::{Value as Json, json};

use super::document;
use super::mistake::{Mistakes, Position, suggestion};
use super::node::{Key, Node, Value};

/// In the order in which brokers look for them: the first that is not empty counts.
const DIALECTS: [&str; 7] = ["exact", "prefix", "suffix", "all", "any", "not", "cesql"];

/// The filters of a list that can be used.
pub fn filters(node: &Node, path: &str, mistakes: &mut Mistakes) -> Vec<Json> {
    let Value::List(items) = &node.value else {
        mistakes.add(node.at, format!("'{path}' must be a list of filters, not {}", node.noun()));
        return Vec::new();
    };
    let mut all = Vec::with_capacity(items.len());
    for (number, item) in items.iter().enumerate() {
        let path = format!("{path}[{number}]");
        let before = mistakes.count();
        let filter = filter(item, &path, mistakes);
        // How its parts fit together, such as how deep they stand.
        if let (Some(filter), true) = (&filter, mistakes.count() == before) {
            document::check_filter(filter, item, &path, mistakes);
        }
        all.extend(filter);
    }
    all
}

fn filter(node: &Node, path: &str, mistakes: &mut Mistakes) -> Option<Json> {
    if !matches!(node.value, Value::Map(_)) {
        let message = format!("'{path}' must be a filter ({}), not {}", DIALECTS.join(", "), node.noun());
        mistakes.add(node.at, message);
        return None;
    }
    let mut known = true;
    for (key, _) in node.entries().iter().filter(|(key, _)| !DIALECTS.contains(&key.text.as_str())) {
        let hint = suggestion(&key.text, DIALECTS);
        mistakes.add(key.at, format!("unknown filter '{}' in '{path}'{hint}", key.text));
        known = false;
    }
    let filled = |dialect: &&str| {
        let (key, value) = node.entries().iter().find(|(key, _)| key.text == *dialect)?;
        (!is_empty(value)).then_some((key, value))
    };
    let mut filled = DIALECTS.iter().filter_map(filled);
    let Some((key, value)) = filled.next() else {
        if known {
            mistakes.add(node.at, format!("'{path}' is empty; one of {} was expected", DIALECTS.join(", ")));
        }
        return None;
    };
    // Empty dialects, which tmctl writes out, are left away.
    for (other, _) in filled {
        let message = format!(
            "'{}' beside '{}' in '{path}' does not count: put both under 'all'",
            other.text, key.text
        );
        mistakes.warn(other.at, message);
    }
    dialect(key, value, &format!("{path}.{}", key.text), mistakes)
}

fn dialect(key: &Key, value: &Node, path: &str, mistakes: &mut Mistakes) -> Option<Json> {
    let name = key.text.as_str();
    let inner = match (name, &value.value) {
        ("all" | "any", _) | ("not", Value::List(_)) => {
            let Value::List(items) = &value.value else {
                mistakes.add(value.at, format!("'{path}' must be a list of filters, not {}", value.noun()));
                return None;
            };
            let nested = |(number, item)| filter(item, &format!("{path}[{number}]"), mistakes);
            items.iter().enumerate().filter_map(nested).collect()
        }
        ("not", _) => filter(value, path, mistakes)?,
        ("cesql", Value::Text(text)) => {
            expression(text, value, path, mistakes);
            text.as_str().into()
        }
        _ => {
            let (json, start) = (value.to_json(), path.len() - name.len() - 1);
            let whole =
                Node { at: value.at, value: Value::Map(vec![(key.clone(), value.clone())]), text_at: None };
            let above = path.get(..start).unwrap_or_default();
            document::check_filter(&json!({ name: json }), &whole, above, mistakes);
            json
        }
    };
    Some(json!({ name: inner }))
}

/// Where the expression is wrong, in the file where that can be told, else in the text.
fn expression(text: &str, node: &Node, path: &str, mistakes: &mut Mistakes) {
    let place = |position: cesql::Position| -> (Position, String) {
        match node.place(position.line, position.column) {
            Some(at) => (at, String::new()),
            None => (node.at, format!("{position}: ")),
        }
    };
    match cesql::Expression::parse(text) {
        Ok(expression) => {
            for warning in expression.warnings() {
                let (at, prefix) = place(warning.position);
                mistakes.warn(at, format!("'{path}': {prefix}{}", warning.message));
            }
        }
        Err(error) => {
            let (at, prefix) = place(error.position);
            mistakes.add(at, format!("'{path}': {prefix}{}", error.message));
        }
    }
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
