//! What cannot be delivered: to the dead-letter address until it takes it, or kept to be looked at and delivered again.

use kit::{Reply, Sink};
use peers::Kafka;
use serde_json::{Value, json};

use crate::{Named, Outcome, answer_by_path, expect, ids, lag, settled, start, topic, trigger, wait_for_ids};

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
    answer_by_path(&sink, vec![("/in", Reply::status(422).body("no such order"))]);
    let triggers = json!({
        "t": trigger("a", &sink.url("/in"), json!({"concurrency": 1})),
        "u": trigger("b", &sink.url("/in"), json!({})),
    });
    let broker = start(kafka, &topic, triggers.clone(), &[])?;
    expect(&broker.json("/dlq")?, &json!({"entries": [], "next": null}), "none at first")?;
    for number in 0..3 {
        broker.accept("a", number)?;
    }
    broker.dead_letters(3)?;
    broker.accept("b", 3)?;
    let listing = broker.dead_letters(4)?;
    let entry = |id: &str| {
        let entries = listing["entries"].as_array().into_iter().flatten();
        entries.clone().find(|entry| entry["event"]["id"] == id).cloned().ok_or_else(|| format!("no {id}"))
    };
    let first = entry("kit-0")?;
    expect(first["trigger"].as_str(), Some("t"), "the trigger")?;
    expect(first["error"].as_str(), Some("no such order"), "the error")?;
    expect((&first["code"], &first["attempts"]), (&json!(422), &json!(1)), "code and attempts")?;
    let page = broker.json("/dlq?limit=2&trigger=t")?;
    let next = page["next"].as_str().ok_or("no next page")?;
    let rest = broker.json(&format!("/dlq?limit=2&trigger=t&after={next}"))?;
    expect(
        (rest["entries"].as_array().map(Vec::len), &rest["next"]),
        (Some(1), &Value::Null),
        "the last page",
    )?;
    expect(broker.get("/dlq?after=1")?.status, 400, "no such id can be")?;

    let id = first["id"].as_str().ok_or("no id")?;
    expect(&broker.json(&format!("/dlq/{id}"))?["data"], &json!({"number": 0}), "the data")?;
    let replay = format!("/dlq/{id}/replay");
    let refused = broker.page("POST", &replay)?;
    refused.expect(502)?;
    answer_by_path(&sink, vec![]);
    let done = broker.page("POST", &replay)?;
    done.expect(200)?;
    let last = sink.requests().pop().ok_or("nothing arrived")?.event()?;
    expect(last.get("id"), "kit-0", "delivered again")?;
    expect(broker.page("POST", &replay)?.status, 404, "it is no longer kept")?;
    let path = format!("/dlq/{}", entry("kit-1")?["id"].as_str().ok_or("no id")?);
    expect(broker.page("DELETE", &path)?.status, 204, "removed")?;
    expect(broker.page("DELETE", &path)?.status, 404, "gone")?;

    // Another process knows the same.
    let other = start(kafka, &topic, triggers, &[])?;
    let left = other.json("/dlq")?;
    let left: Vec<_> = left["entries"].as_array().into_iter().flatten().collect();
    let left: Vec<_> = left.iter().map(|entry| entry["event"]["id"].as_str().unwrap_or_default()).collect();
    expect(left, vec!["kit-2", "kit-3"], "what is left")?;
    expect(ids(&sink, "/in").len(), 6, "four tries and two replays")
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
