//! What cannot be delivered: to the dead-letter address until it takes it, or kept to be looked at and delivered again.

use kit::broker::pages;
use kit::{Reply, Sink};
use peers::Kafka;
use serde_json::json;

use crate::{
    Named, Outcome, answer_by_path, expect, lag, numbered, settled, start, topic, trigger, wait_for_ids,
};

pub const TRIALS: &[Named] = &[
    ("what nobody takes waits and is not done with", held),
    ("without an address they are kept, listed and delivered again", kept),
    ("a page has as much as one request should carry", large),
];

fn held(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, topic());
    answer_by_path(&sink, vec![("/in", Reply::status(400)), ("/dead", Reply::status(500))]);
    let triggers = json!({"t": trigger("a", &sink.url("/in"), json!({"deadLetterURL": sink.url("/dead")}))});
    let mut broker = start(kafka, &topic, triggers.clone(), &[])?;
    broker.accept("a", 1)?;
    wait_for_ids(&sink, "/dead", 2)?;
    expect(lag(kafka, &topic, "t")?, 1, "it is not done with")?;
    broker.process.stop()?;
    answer_by_path(&sink, vec![("/in", Reply::status(400)), ("/dead", Reply::status(202))]);
    let _again = start(kafka, &topic, triggers, &[])?;
    settled(kafka, &topic, "t")
}

fn kept(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, topic());
    let broker = start(kafka, &topic, pages::triggers(&sink), &[])?;
    pages::kept(&broker, &sink)?;
    broker.get("/dlq?after=1")?.expect(400)?;
    // Another process knows the same.
    let other = start(kafka, &topic, pages::triggers(&sink), &[])?;
    expect(pages::events(&other.json("/dlq")?), numbered(2..4), "what is left")
}

fn large(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, topic());
    answer_by_path(&sink, vec![("/in", Reply::status(400))]);
    let triggers = json!({"t": trigger("a", &sink.url("/in"), json!({}))});
    let broker = start(kafka, &topic, triggers, &[])?;
    for number in 0..24 {
        let request = kit::Example::new("a", "text/plain", "x".repeat(800_000)).binary(number);
        expect(broker.send(&request)?.status, 200, "a large one")?;
    }
    broker.dead_letters(24)?;
    let first = broker.json("/dlq?limit=20")?;
    expect(first["entries"].as_array().map(Vec::len), Some(20), "a page is full")?;
    let rest = broker.json(&format!("/dlq?after={}", first["next"].as_str().ok_or("no next page")?))?;
    expect(rest["entries"].as_array().map(Vec::len), Some(4), "the rest")
}
