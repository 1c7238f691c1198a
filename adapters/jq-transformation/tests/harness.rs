//! What the conformance kit needs to know of the jq transformation.

use kit::{Example, Harness};
use serde_json::json;

/// Events reach the sink with a part of their data.
pub fn harness() -> Harness {
    Harness::target(vec![
        Example::json("com.example.order", &json!({ "order": { "number": 1, "notes": ["a", null] } })),
        Example::json("com.example.order", &json!({ "order": 12 })),
    ])
    .environment(|world| {
        vec![("K_SINK", world.upstream.url("/")), ("JQ_QUERY", "{order, by: $ce.type}".to_owned())]
    })
    .events_upstream()
    .malformed(Example::new("com.example.note", "application/json", "{not json"))
    .wrong(&[("JQ_QUERY", ".a | nofunction"), ("JQ_QUERY", "{a: "), ("JQ_TIMEOUT", "1ms")])
    .opt_out("T10", "a query needs JSON; every other media type is refused with 422")
}
