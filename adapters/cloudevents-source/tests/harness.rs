//! What the conformance kit needs to know of the CloudEvents source.

use kit::{Example, Harness};
use serde_json::json;

/// It answers like a target, and what it hands events to is its sink.
pub fn harness() -> Harness {
    Harness::target(vec![
        Example::json("com.example.order", &json!({ "order": 1 })),
        Example::new("com.example.note", "text/plain", "hello"),
    ])
    .environment(|world| vec![("K_SINK", world.upstream.url("/"))])
    .events_upstream()
    .wrong(&[("CLOUDEVENTS_BASICAUTH_CREDENTIALS", "[{\"Key\":\"user\"}]")])
    .opt_out("T9", "any data may go to the sink: it alone knows what it takes")
}
