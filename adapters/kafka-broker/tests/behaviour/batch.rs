//! Events that come in one request are written as one, and records may be compressed.

use kit::{Example, Request, Sink};
use peers::Kafka;
use peers::kafka::trials::{Named, topic};
use serde_json::{Value, json};

use crate::{Outcome, expect, numbered, settled, start, wait_for_ids};

pub const TRIALS: &[Named] = &[
    ("a batch is there as a whole before it is answered, in its order", whole),
    ("of a batch with an event that is too large nothing is there", too_large),
    ("records are compressed as they are told to be", compressed),
];

fn batch(events: impl IntoIterator<Item = Value>) -> Request {
    let events: Vec<_> = events.into_iter().collect();
    Request::post("/").body("application/cloudevents-batch+json", Value::from(events).to_string())
}

/// An event with some text.
fn with_text(number: u64, text: &str) -> Value {
    Example::json("a", &json!({"number": number, "text": text})).to_json(number)
}

/// The ids of the events in a topic.
fn written(kafka: &Kafka, topic: &str) -> Result<Vec<String>, kit::Failure> {
    let records = kafka.records(topic)?;
    let event = |value: &Vec<u8>| serde_json::from_slice::<Value>(value).ok();
    let id = |record: &peers::Record| Some(event(record.value.as_ref()?)?["id"].as_str()?.to_owned());
    Ok(records.iter().filter_map(id).collect())
}

fn whole(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, topic());
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}}});
    let broker = start(kafka, &topic, triggers, &[("KAFKA_TOPIC_PARTITIONS", "1")])?;
    let answer = broker.send(&batch((0..500).map(|number| with_text(number, "x"))))?;
    answer.expect(200)?;
    expect(written(kafka, &topic)?, numbered(0..500), "all, in order")?;
    wait_for_ids(&sink, "/in", 500)?;
    settled(kafka, &topic, "t")
}

fn too_large(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, topic());
    kafka.create_topic(&topic, 1, &[("max.message.bytes", "20000")])?;
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}}});
    let broker = start(kafka, &topic, triggers, &[])?;
    let large = "x".repeat(30_000);
    let events = (0..10).map(|number| with_text(number, if number == 5 { &large } else { "x" }));
    let answer = broker.send(&batch(events))?;
    answer.expect(413)?;
    expect(written(kafka, &topic)?.len(), 0, "nothing")?;
    // Together they are too large, each alone is not.
    let text = "x".repeat(9_000);
    let answer = broker.send(&batch((10..16).map(|number| with_text(number, &text))))?;
    answer.expect(200)?;
    expect(written(kafka, &topic)?.len(), 6, "all")?;
    wait_for_ids(&sink, "/in", 6)?;
    settled(kafka, &topic, "t")
}

fn compressed(kafka: &Kafka) -> Outcome {
    for codec in ["gzip", "snappy", "lz4", "zstd"] {
        let (sink, topic) = (Sink::start()?, topic());
        // Together and plain, they are larger than the topic allows.
        kafka.create_topic(&topic, 1, &[("max.message.bytes", "20000")])?;
        let triggers = json!({"t": {"target": {"url": sink.url("/in")}}});
        let broker = start(kafka, &topic, triggers, &[("KAFKA_COMPRESSION", codec)])?;
        let answer = broker.send(&batch([with_text(0, &"x".repeat(100_000))]))?;
        expect(answer.status, 200, &format!("{codec}: {}", answer.text()))?;
        wait_for_ids(&sink, "/in", 1)?;
    }
    Ok(())
}
