//! What the conformance kit needs to know of kafka-broker: a real Kafka is behind it, each trial with a topic of its own.

use std::sync::OnceLock;

use kit::{Example, Harness};
use peers::Kafka;
use serde_json::json;

/// One trigger without a filter delivers every event to the outside system.
pub fn harness() -> Harness {
    // One broker for all trials, for as long as there are any.
    let kafka = OnceLock::new();
    Harness::broker(vec![
        Example::json("io.trestle.order", &json!({"id": 7, "text": "hello"})),
        Example::new("io.trestle.bytes", "application/octet-stream", vec![0, 159, 146, 150]),
    ])
    .environment(move |world| {
        let kafka = kafka.get_or_init(Kafka::shared).clone().expect("a broker");
        let document = json!({"triggers": {"all": {"target": {"url": world.upstream.url("/in")}}}});
        let name = world.folder().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let topic = format!("broker{}", name.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
        vec![
            ("BROKER_CONFIG", document.to_string()),
            ("KAFKA_ADDRESSES", kafka.plaintext()),
            ("KAFKA_CONSUMER_GROUP_PREFIX", topic.clone()),
            ("KAFKA_TOPIC", topic),
        ]
    })
    .wrong(&[
        ("BROKER_CONFIG", "triggers: {a: {filters: [{regex: x}]}}"),
        ("BROKER_CONFIG", "triggers: {a: {bounds: {byId: {start: yesterday}}}}"),
        ("BROKER_CONFIG_PATH", "/nowhere/broker.conf"),
        ("KUBERNETES_BROKER_CONFIG_SECRET_NAME", "config"),
        ("KAFKA_ADDRESSES", "http://kafka"),
        ("KAFKA_TOPIC", "no topic"),
        ("KAFKA_KEY", "Not-A-Name"),
        ("KAFKA_CA", "nothing"),
        ("KAFKA_SECURITY_MECHANISMS", "OAUTHBEARER"),
        ("KAFKA_GSSAPI_REALM", "EXAMPLE.COM"),
        ("KAFKA_PRODUCE_TIMEOUT", "1ms"),
    ])
}
