//! What the broker does with events, seen from outside: the real binary between a sender, a real Kafka and scripted
//! receivers.

mod away;
mod batch;
mod dead_letters;
mod delivery;
mod gone;
mod replay;
mod replicas;
mod rotated;
mod security;

use std::process::ExitCode;

use kit::broker::{
    Broker, answer_by_path, event, expect, expect_in_any_order, ids, numbered, trigger, wait_for_ids,
};
use kit::{Failure, eventually};
use peers::Kafka;
use peers::kafka::trials::{self, Named, topic};
use serde_json::{Value, json};

type Outcome = Result<(), Failure>;

fn main() -> ExitCode {
    trials::run(
        &[
            batch::TRIALS,
            delivery::TRIALS,
            dead_letters::TRIALS,
            gone::TRIALS,
            replay::TRIALS,
            replicas::TRIALS,
            security::TRIALS,
        ],
        &[
            ("Kafka goes away and comes back", away::outage),
            ("a password that is changed is said, and taken up", rotated::password),
        ],
    )
}

/// One that is ready.
fn start(kafka: &Kafka, topic: &str, triggers: Value, settings: &[(&str, &str)]) -> Result<Broker, Failure> {
    let mut broker = begin(kafka, topic, triggers, settings)?;
    broker.process.wait_for_status("/readyz", 200)?;
    Ok(broker)
}

/// One that listens, with a topic.
fn begin(kafka: &Kafka, topic: &str, triggers: Value, settings: &[(&str, &str)]) -> Result<Broker, Failure> {
    let address = kafka.plaintext();
    let base = [
        ("KAFKA_ADDRESSES", &*address),
        ("KAFKA_TOPIC", topic),
        ("KAFKA_CONSUMER_GROUP_PREFIX", topic),
        ("KAFKA_SESSION_TIMEOUT", "3s"),
    ];
    Broker::listening("kafka-broker", &json!({"triggers": triggers}), &[&base, settings].concat())
}

/// Waits until a trigger's group has done with all records.
fn settled(kafka: &Kafka, topic: &str, trigger: &str) -> Outcome {
    eventually("all to be done", || (lag(kafka, topic, trigger).ok()? == 0).then_some(()))
}

/// How many records a trigger's group has not done with.
fn lag(kafka: &Kafka, topic: &str, trigger: &str) -> Result<i64, Failure> {
    let done: i64 = kafka.committed(&format!("{topic}.{trigger}"), topic)?.into_iter().flatten().sum();
    let written = i64::try_from(kafka.records(topic)?.len()).map_err(|error| error.to_string())?;
    Ok(written - done)
}
