//! What the conformance kit needs to know of the splitter.

use kit::{Example, Harness};
use serde_json::json;

/// What is no array reaches the sink as one event.
pub fn harness() -> Harness {
    Harness::target(vec![
        Example::json("com.example.order", &json!({ "order": 1 })),
        Example::json("com.example.note", &json!("hello")),
    ])
    .environment(|world| {
        vec![
            ("K_SINK", world.upstream.url("/")),
            ("SPLITTER_CE_TYPE", "com.example.part".to_owned()),
            ("SPLITTER_CE_SOURCE", "/splitter".to_owned()),
            ("SPLITTER_MAX_PARTS", "3".to_owned()),
        ]
    })
    .malformed(Example::json("com.example.note", &json!([1, 2, 3, 4])))
    .wrong(&[("SPLITTER_PATH", "a.@sort"), ("SPLITTER_CE_EXTENSIONS", r#"{"id": "1"}"#)])
    .opt_out("T10", "only JSON can be split; what is none is refused with 422")
}
