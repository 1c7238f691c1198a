//! Triggers that begin in the past, and end.

use std::time::Duration;

use kit::{Sink, eventually};
use peers::{Kafka, Record};
use serde_json::{Value, json};

use crate::{Named, Outcome, expect, ids, numbered, start, topic, wait_for_ids};

pub const TRIALS: &[Named] = &[
    ("by offset: from one on, up to another", by_id),
    ("by time", by_date),
    ("a new trigger gets what comes from now on", from_now_on),
];

/// A topic with ten events.
fn filled(kafka: &Kafka) -> Result<String, kit::Failure> {
    let name = topic();
    kafka.create_topic(&name, 1, &[])?;
    write(kafka, &name, 0..10)?;
    Ok(name)
}

fn write(kafka: &Kafka, name: &str, numbers: std::ops::Range<u64>) -> Outcome {
    let example = kit::Example::json("a", &json!({}));
    let records: Vec<_> = numbers.map(|number| Record::new(example.to_json(number).to_string())).collect();
    kafka.produce(name, &records)
}

fn with(sink: &Sink, bounds: Value) -> Value {
    json!({"t": {"target": {"url": sink.url("/in")}, "bounds": bounds, "deliveryOptions": {"concurrency": 1}}})
}

fn by_id(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, filled(kafka)?);
    let triggers = with(&sink, json!({"byId": {"start": 3, "end": "7"}}));
    let mut broker = start(kafka, &topic, triggers.clone(), &[])?;
    broker.process.wait_for_line("the end of the bounds is reached: nothing more is read")?;
    expect(wait_for_ids(&sink, "/in", 4)?, numbered(3..7), "from the third on, before the seventh")?;
    broker.accept("a", 10)?;
    eventually("what was delivered to be done", || {
        (kafka.committed(&format!("{topic}.t"), &topic).ok()? == [Some(7)]).then_some(())
    })?;
    broker.process.stop()?;
    // The place is kept, so that other bounds count no more.
    let again = start(kafka, &topic, with(&sink, json!({"byId": {"start": 0}})), &[])?;
    again.accept("a", 11)?;
    expect(wait_for_ids(&sink, "/in", 9)?, numbered(3..12), "what follows")
}

fn by_date(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, filled(kafka)?);
    #[expect(clippy::disallowed_methods, reason = "what follows is to be later by the clock")]
    let pause = || std::thread::sleep(Duration::from_millis(20));
    pause();
    let from = now()?;
    write(kafka, &topic, 10..15)?;
    pause();
    let to = now()?;
    pause();
    write(kafka, &topic, 15..20)?;
    let triggers = with(&sink, json!({"byDate": {"start": from, "end": to}}));
    let mut broker = start(kafka, &topic, triggers, &[])?;
    broker.process.wait_for_line("the end of the bounds is reached: nothing more is read")?;
    expect(wait_for_ids(&sink, "/in", 5)?, numbered(10..15), "what was written between")
}

/// The time now, in UTC.
fn now() -> Result<String, kit::Failure> {
    let output = std::process::Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%S.%3NZ"]).output();
    let output = output.map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn from_now_on(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, filled(kafka)?);
    let broker = start(kafka, &topic, with(&sink, Value::Null), &[])?;
    expect(kafka.committed(&format!("{topic}.t"), &topic)?, vec![Some(10)], "its place, before it is ready")?;
    broker.accept("a", 10)?;
    wait_for_ids(&sink, "/in", 1)?;
    expect(ids(&sink, "/in"), numbered([10]), "nothing older")
}
