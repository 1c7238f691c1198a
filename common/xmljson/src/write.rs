//! A tree to JSON in the form of goxml2json: a space behind colons and commas, a line break at the end. Members are sorted
//! by name, where the original's order changed each time.

use common::go_json;

use crate::read::{Node, Tree};

pub(crate) fn write(json: &mut Vec<u8>, tree: &Tree<'_>) {
    if let Some(document) = tree.document() {
        node(json, tree, document);
    }
    json.push(b'\n');
}

fn node(json: &mut Vec<u8>, tree: &Tree<'_>, of: &Node<'_>) {
    if of.is_leaf() {
        return go_json::string(json, &of.text);
    }
    let mut children: Vec<&Node<'_>> = tree.children(of).collect();
    // Stable: what has one name keeps its order.
    children.sort_by_key(|child| child.label());
    json.push(b'{');
    if !of.text.is_empty() {
        json.extend_from_slice(b"\"#content\": ");
        go_json::string(json, &of.text);
        json.extend_from_slice(b", ");
    }
    let mut is_first = true;
    for same in children.chunk_by(|left, right| left.label() == right.label()) {
        let [first, rest @ ..] = same else { continue };
        if !std::mem::take(&mut is_first) {
            json.extend_from_slice(b", ");
        }
        // Names need no escapes.
        json.extend_from_slice(if first.is_attribute { b"\"-" } else { b"\"" });
        json.extend_from_slice(first.name.as_bytes());
        json.extend_from_slice(if rest.is_empty() { b"\": " } else { b"\": [" });
        node(json, tree, first);
        for other in rest {
            json.extend_from_slice(b", ");
            node(json, tree, other);
        }
        if !rest.is_empty() {
            json.push(b']');
        }
    }
    json.push(b'}');
}
