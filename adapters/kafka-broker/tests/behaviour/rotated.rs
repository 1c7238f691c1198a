//! The password is changed at the brokers while events flow.

use std::time::Duration;

use kit::{Folder, Sink, ensure, eventually, within};
use peers::Kafka;
use peers::kafka::trials::topic;
use serde_json::json;

use crate::{Broker, Outcome, begin, ids};

const NEW: &str = "another-horse-battery";

/// Waits until readiness says no, and the log which setting is to be looked at.
fn refused(broker: &mut Broker) -> Outcome {
    within(Duration::from_secs(60), "it is not ready", || {
        broker.get("/readyz").ok().filter(|answer| answer.status == 503).map(drop)
    })?;
    let line = eventually("which setting", || {
        let lines = broker.process.log();
        lines.into_iter().find(|line| {
            line.field("message") == "the topic cannot be reached"
                && line.field("reason").contains("KAFKA_PASSWORD")
        })
    })?;
    ensure(line.field("reason").contains("KAFKA_USERNAME"), || line.text.clone())?;
    let output = broker.process.output();
    ensure(!output.contains(Kafka::PASSWORD) && !output.contains(NEW), || output)
}

/// Waits until events flow again.
fn works(broker: &mut Broker, sink: &Sink, number: u64) -> Outcome {
    broker.process.wait_for_status("/readyz", 200)?;
    eventually("an event that is taken", || {
        broker.post("a", number).ok().filter(|answer| answer.status == 200)
    })?;
    let id = format!("kit-{number}");
    within(Duration::from_secs(60), "its arrival", || ids(sink, "/in").contains(&id).then_some(()))?;
    let dead = within(Duration::from_secs(60), "the dead letters", || broker.json("/dlq").ok())?;
    ensure(dead["entries"].is_array(), || dead.to_string())
}

/// Where it is in the environment, the brokers take it back; where it is a file, the file changes.
pub fn password() -> Outcome {
    let (mut kafka, sink, folder) = (Kafka::start()?, Sink::start()?, Folder::new()?);
    let file = folder.file("password", Kafka::PASSWORD)?;
    let address = kafka.sasl_plaintext();
    let settings = [
        ("KAFKA_ADDRESSES", &*address),
        ("KAFKA_SASL_ENABLE", "true"),
        ("KAFKA_SECURITY_MECHANISMS", "SCRAM-SHA-512"),
        ("KAFKA_USERNAME", Kafka::USER),
        ("KAFKA_PRODUCE_TIMEOUT", "2s"),
    ];
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}}});
    let broker = |more: (&'static str, &str)| {
        begin(&kafka, &topic(), triggers.clone(), &[&settings[..], &[more]].concat())
    };
    let mut of_file = broker(("KAFKA_PASSWORD_FILE", &file))?;
    let mut plain = broker(("KAFKA_PASSWORD", Kafka::PASSWORD))?;
    works(&mut of_file, &sink, 1)?;
    works(&mut plain, &sink, 2)?;

    kafka.set_password(NEW)?;
    // Who is connected stays so.
    kafka.restart()?;
    refused(&mut of_file)?;
    refused(&mut plain)?;
    folder.file("password", NEW)?;
    works(&mut of_file, &sink, 3)?;
    drop(of_file);
    kafka.set_password(Kafka::PASSWORD)?;
    works(&mut plain, &sink, 4)
}
