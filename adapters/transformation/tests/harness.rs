//! What the conformance kit needs to know of the transformation.

use kit::{Example, Harness};
use serde_json::json;

/// Events reach the sink with an extension more, their data as they are.
pub fn harness() -> Harness {
    Harness::target(vec![
        Example::json("com.example.order", &json!({ "order": 1 })),
        Example::json("com.example.note", &json!(["hello", null])),
    ])
    .environment(|world| {
        let context = json!([{"operation": "add", "paths": [{"key": "Extensions.seen", "value": "true"}]}]);
        vec![("K_SINK", world.upstream.url("/")), ("TRANSFORMATION_CONTEXT", context.to_string())]
    })
    .events_upstream()
    .malformed(Example::new("com.example.note", "text/plain", "hello"))
    .wrong(&[
        ("TRANSFORMATION_CONTEXT", r#"[{"operation": "ad"}]"#),
        ("TRANSFORMATION_DATA", r#"[{"operation": "shift", "paths": [{"key": "no colon"}]}]"#),
    ])
    .opt_out("T10", "only JSON can be transformed; every other media type is refused with 422")
}
