//! What the conformance kit needs to know of the filter.

use kit::{Example, Harness};
use serde_json::json;

/// Events pass to the sink as they are.
pub fn harness() -> Harness {
    Harness::target(vec![
        Example::json("com.example.order", &json!({ "order": 1 })),
        Example::new("com.example.note", "text/plain", "hello"),
    ])
    .environment(|world| {
        let expression = "ce.type != 'com.example.offer' || data.amount > 100";
        vec![("K_SINK", world.upstream.url("/")), ("FILTER_EXPRESSION", expression.to_owned())]
    })
    .events_upstream()
    .malformed(Example::json("com.example.offer", &json!({ "amount": "much" })))
    .wrong(&[("FILTER_EXPRESSION", "$id.(int64) +"), ("FILTER_EXPRESSION", "1 + 1")])
}
