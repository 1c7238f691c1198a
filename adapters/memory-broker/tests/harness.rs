//! What the conformance kit needs to know of memory-broker.

use kit::{Example, Harness};
use serde_json::json;

/// One trigger without a filter delivers every event to the outside system.
pub fn harness() -> Harness {
    Harness::broker(vec![
        Example::json("io.trestle.order", &json!({"id": 7, "text": "hello"})),
        Example::new("io.trestle.bytes", "application/octet-stream", vec![0, 159, 146, 150]),
    ])
    .environment(|world| {
        let document = json!({"triggers": {"all": {"target": {"url": world.upstream.url("/in")}}}});
        vec![("BROKER_CONFIG", document.to_string())]
    })
    .events_upstream()
    .wrong(&[
        ("BROKER_CONFIG", "triggers: {a: {filters: [{regex: x}]}}"),
        ("BROKER_CONFIG_PATH", "/nowhere/broker.conf"),
        ("KUBERNETES_BROKER_CONFIG_SECRET_NAME", "config"),
    ])
}
