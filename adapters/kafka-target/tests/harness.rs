//! What the conformance kit needs to know of the Kafka target: a real broker is behind it, and the topic's own settings make it
//! refuse.

use std::sync::{Arc, OnceLock};

use kit::{Event, Example, Failure, Fault, Harness, World};
use peers::{Kafka, Record};
use serde_json::json;

/// Each event is a record by the binding's binary mode, in which nothing of it is lost.
pub fn harness() -> Harness {
    // One broker for all trials, for as long as there are any.
    let kafka = Arc::new(OnceLock::new());
    let broker = move || -> Result<Arc<Kafka>, Failure> { kafka.get_or_init(Kafka::shared).clone() };
    let (at_start, reading, showing, failing) = (broker.clone(), broker.clone(), broker.clone(), broker);
    Harness::target(vec![
        Example::json("com.example.order", &json!({ "order": 1 })),
        Example::new("com.example.note", "text/plain", "hello"),
    ])
    .environment(move |world| {
        let (kafka, topic) = (at_start().expect("a broker"), topic(world));
        if kafka.partitions(&topic).expect("an answer").is_none() {
            kafka.create_topic(&topic, 2, &[]).expect("a topic");
        }
        vec![
            ("BOOTSTRAP_SERVERS", kafka.plaintext()),
            ("TOPIC", topic),
            ("CREATE_MISSING_TOPIC", "false".to_owned()),
            ("CONTENT_MODE", "binary".to_owned()),
            // Long for a busy machine; a topic that is gone is waited for no longer either.
            ("DELIVERY_TIMEOUT", "10s".to_owned()),
        ]
    })
    .arrived(move |running| {
        let records = reading()?.records(&topic(running))?;
        Ok(records.into_iter().map(|record| record.value.unwrap_or_default()).collect())
    })
    .events(move |running| Ok(showing()?.records(&topic(running))?.into_iter().map(event).collect()))
    .fault(move |running, fault| {
        let (kafka, topic) = (failing().expect("a broker"), topic(running));
        match fault {
            // No record is as small.
            Fault::Permanent => kafka.configure_topic(&topic, &[("max.message.bytes", "1")]),
            Fault::Transient => kafka.delete_topic(&topic),
        }
        .expect("a topic");
    })
    .malformed(Example::new("com.example.large", "text/plain", "x".repeat(2 << 20)))
    .wrong(&[
        ("BOOTSTRAP_SERVERS", "http://kafka"),
        ("TOPIC", "no topic"),
        ("SECURITY_MECHANISMS", "OAUTHBEARER"),
        ("CA", "nothing"),
        ("RECORD_KEY", "Not-A-Name"),
        ("DELIVERY_TIMEOUT", "0s"),
    ])
}

/// The topic of a trial: its folder is its own.
fn topic(world: &World) -> String {
    let name = world.folder().file_name().unwrap_or_default().to_string_lossy().into_owned();
    format!("target{}", name.replace(|c: char| !c.is_ascii_alphanumeric(), "-"))
}

fn event(record: Record) -> Event {
    let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
    let attributes = record.headers.into_iter().map(|(name, value)| {
        let name = name.strip_prefix("ce_").unwrap_or("datacontenttype").to_owned();
        (name, text(value))
    });
    Event { attributes: attributes.collect(), data: record.value.unwrap_or_default(), structured: false }
}
