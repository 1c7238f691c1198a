//! What the conformance kit needs to know of the splitter.

use kit::{Example, Harness};
use serde_json::json;

/// One part of each event reaches the sink.
pub fn harness() -> Harness {
    Harness::target(vec![
        Example::json("com.example.order", &json!({ "items": [{ "sku": "A-1", "quantity": 2 }] })),
        Example::json("com.example.note", &json!({ "items": "hello" })),
    ])
    .environment(|world| {
        vec![
            ("K_SINK", world.upstream.url("/")),
            ("SPLITTER_PATH", "items".to_owned()),
            ("SPLITTER_CE_TYPE", "com.example.item".to_owned()),
            ("SPLITTER_CE_SOURCE", "/shop/items".to_owned()),
            ("SPLITTER_MAX_PARTS", "3".to_owned()),
        ]
    })
    .events_upstream()
    .malformed(Example::json("com.example.note", &json!({ "items": [1, 2, 3, 4] })))
    .wrong(&[("SPLITTER_PATH", "a.@sort"), ("SPLITTER_CE_EXTENSIONS", r#"{"id": "1"}"#)])
    .opt_out("T3", "the parts have none of the attributes of the event")
    .opt_out("T10", "only JSON can be split; what is none is refused with 422")
}
