//! What the conformance kit needs to know of redis-broker: a real Redis is behind it, each trial with a stream of its own.

use std::sync::OnceLock;

use kit::{Example, Harness};
use peers::Redis;
use serde_json::json;

/// One trigger without a filter delivers every event to the outside system.
pub fn harness() -> Harness {
    // One server for all trials, for as long as there are any.
    let redis = OnceLock::new();
    Harness::broker(vec![
        Example::json("io.trestle.order", &json!({"id": 7, "text": "hello"})),
        Example::new("io.trestle.bytes", "application/octet-stream", vec![0, 159, 146, 150]),
    ])
    .environment(move |world| {
        let redis = redis.get_or_init(Redis::shared).clone().expect("a server");
        let document = json!({"triggers": {"all": {"target": {"url": world.upstream.url("/in")}}}});
        vec![
            ("BROKER_CONFIG", document.to_string()),
            ("REDIS_ADDRESS", redis.address().to_string()),
            ("REDIS_PASSWORD", Redis::PASSWORD.to_owned()),
            ("REDIS_STREAM", world.folder().display().to_string()),
        ]
    })
    .events_upstream()
    .wrong(&[
        ("BROKER_CONFIG", "triggers: {a: {filters: [{regex: x}]}}"),
        ("BROKER_CONFIG", "triggers: {a: {bounds: {byId: {start: yesterday}}}}"),
        ("BROKER_CONFIG_PATH", "/nowhere/broker.conf"),
        ("KUBERNETES_BROKER_CONFIG_SECRET_NAME", "config"),
        ("REDIS_ADDRESS", "redis://redis"),
        ("REDIS_CLUSTER_ADDRESSES", "redis"),
        ("REDIS_TLS_CERTIFICATE", "nothing"),
        ("REDIS_TLS_KEY", "nothing"),
        ("REDIS_STREAM", "a}b"),
        ("REDIS_CLAIM_IDLE", "1ms"),
    ])
}
