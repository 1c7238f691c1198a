//! A tree to JSON in the form of goxml2json: a space behind colons and commas, a line break at the end. Members are sorted
//! by name, where the original's order changed each time.

use common::go_json;

use crate::read::{Node, Tree};

pub(crate) fn write(json: &mut Vec<u8>, tree: &Tree) {
    if let Some(document) = tree.nodes.first() {
        node(json, tree, document);
    }
    json.push(b'\n');
}

fn node(json: &mut Vec<u8>, tree: &Tree, of: &Node) {
    if of.children.is_empty() {
        return go_json::string(json, &of.text);
    }
    let mut children: Vec<&Node> = of.children.iter().filter_map(|index| tree.nodes.get(*index)).collect();
    // Stable: what has one name keeps its order.
    children.sort_by(|left, right| left.label.cmp(&right.label));
    json.push(b'{');
    let mut is_first = true;
    let mut member = |json: &mut Vec<u8>, name: &str| {
        if !std::mem::take(&mut is_first) {
            json.extend_from_slice(b", ");
        }
        go_json::string(json, name);
        json.extend_from_slice(b": ");
    };
    if !of.text.is_empty() {
        member(json, "#content");
        go_json::string(json, &of.text);
    }
    for same in children.chunk_by(|left, right| left.label == right.label) {
        match same {
            [only] => {
                member(json, &only.label);
                node(json, tree, only);
            }
            [first, rest @ ..] => {
                member(json, &first.label);
                json.push(b'[');
                node(json, tree, first);
                for other in rest {
                    json.extend_from_slice(b", ");
                    node(json, tree, other);
                }
                json.push(b']');
            }
            [] => {}
        }
    }
    json.push(b'}');
}
