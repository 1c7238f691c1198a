//! Has the jq language look at queries, so that what passes here is what the adapter takes.

use ::jq::Query;

use super::mistake::Mistakes;
use super::node::Node;

/// The adapter whose data come from a query.
pub const JQ: &str = "jq-transformation";

/// Adds the mistake in the query of a `spec`; that of any other adapter is none of its business.
pub fn check(adapter: &str, spec: &Node, mistakes: &mut Mistakes) {
    let Some(node) = spec.get("query").filter(|_| adapter == JQ) else { return };
    // What is no text is told by others.
    let Some(Err(mistake)) = node.text().map(Query::new) else { return };
    let (at, prefix) = match node.place(mistake.line, mistake.column) {
        Some(at) => (at, String::new()),
        None => (node.at, format!("line {}, column {}: ", mistake.line, mistake.column)),
    };
    mistakes.add(at, format!("'spec.query': {prefix}{}", mistake.message));
}
