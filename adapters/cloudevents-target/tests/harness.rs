//! What the conformance kit needs to know of the CloudEvents target.

use kit::{Example, Harness};
use serde_json::json;

/// Every event reaches the endpoint as it is.
pub fn harness() -> Harness {
    Harness::target(vec![
        Example::json("com.example.order", &json!({ "order": 1 })),
        Example::new("com.example.note", "text/plain", "hello"),
    ])
    .environment(|world| {
        vec![("CLOUDEVENTS_URL", world.upstream.url("/")), ("CLOUDEVENTS_TIMEOUT", "10s".to_owned())]
    })
    .events_upstream()
    .wrong(&[("CLOUDEVENTS_BASICAUTH_PASSWORD", "without a name")])
    .opt_out("T9", "any data may go to the endpoint: it alone knows what it takes")
}
