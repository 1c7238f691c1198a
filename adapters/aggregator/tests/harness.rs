//! What the conformance kit needs to know of the aggregator.

use kit::{Example, Harness};
use serde_json::json;

/// Groups of one: each event goes on at once, as an array of its data.
pub fn harness() -> Harness {
    Harness::target(vec![
        Example::json("com.example.item", &json!({ "sku": "A-1", "price": 42 })),
        Example::new("com.example.note", "text/plain", "hello"),
    ])
    .environment(|world| {
        vec![
            ("K_SINK", world.upstream.url("/")),
            ("AGGREGATOR_GROUP", "id".to_owned()),
            ("AGGREGATOR_COUNT", "1".to_owned()),
            // A trial sends the same event in all modes, and counts.
            ("AGGREGATOR_REMEMBERED", "0".to_owned()),
            ("AGGREGATOR_CE_TYPE", "com.example.order.priced".to_owned()),
            ("AGGREGATOR_CE_SOURCE", "/shop/orders".to_owned()),
        ]
    })
    .events_upstream()
    .malformed(Example::new("com.example.picture", "image/png", b"\x89PNG\r\n"))
    .wrong(&[("AGGREGATOR_GROUP_PATH", "a.@sort"), ("AGGREGATOR_TIMEOUT", "0s")])
    .opt_out("T3", "an aggregate has none of the attributes of its parts but those of its group")
    .opt_out("T10", "only JSON and text can stand in an array; what is neither is refused with 422")
}
