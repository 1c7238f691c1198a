//! What the conformance kit needs to know of the Kafka source: a real broker is before it.

use std::sync::{Arc, OnceLock};

use kit::{Failure, Harness, World};
use peers::{Kafka, Record};

/// Records are written to a topic.
pub fn harness() -> Harness {
    // One broker for all trials, for as long as there are any.
    let kafka = Arc::new(OnceLock::new());
    let broker = move || -> Result<Arc<Kafka>, Failure> { kafka.get_or_init(Kafka::shared).clone() };
    let writing = broker.clone();
    Harness::source(move |running, number| {
        let record = Record::new(format!("{{\"number\":{number}}}")).key(format!("key-{number}"));
        writing()?.produce(&topic(running), &[record])
    })
    .environment(move |world| {
        let kafka = broker().expect("a broker");
        let topic = topic(world);
        if kafka.partitions(&topic).expect("an answer").is_none() {
            kafka.create_topic(&topic, 2, &[]).expect("a topic");
        }
        vec![
            ("BOOTSTRAP_SERVERS", kafka.plaintext()),
            ("GROUP_ID", format!("group-{topic}")),
            ("TOPIC", topic),
            // What is written before it has joined shall count.
            ("START_POSITION", "earliest".to_owned()),
        ]
    })
    .wrong(&[
        ("BOOTSTRAP_SERVERS", "http://kafka"),
        ("TOPIC", "no topic"),
        ("SECURITY_MECHANISMS", "OAUTHBEARER"),
        ("CA", "nothing"),
        ("SESSION_TIMEOUT", "0s"),
        ("CONTENT_TYPE", "nonsense"),
    ])
}

/// The topic of a trial: its folder is its own.
fn topic(world: &World) -> String {
    let name = world.folder().file_name().unwrap_or_default().to_string_lossy().into_owned();
    format!("source{}", name.replace(|c: char| !c.is_ascii_alphanumeric(), "-"))
}
