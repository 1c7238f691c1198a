//! What an event is in the topic.

use kit::{Event, Example, Request, ensure};
use peers::Kafka;
use serde_json::json;

use crate::{Named, Outcome, Target, only, topic};

pub const TRIALS: &[Named] = &[
    ("records are as the original wrote them", original),
    ("the data alone, where the context is discarded", raw),
    ("the binding's binary mode", binary),
    ("the binding's structured mode", structured),
    ("keys decide the partition, and events without one are spread", keys),
    ("tombstones make a compacted topic forget, where asked", tombstones),
    ("a topic that is there is left as it is", existing_topic),
    ("many at once all arrive, each once", many),
];

fn note(number: u64) -> Request {
    Example::json("com.example.note", &json!({ "text": "grüße" })).binary(number)
}

fn original(kafka: &Kafka) -> Outcome {
    let target = Target::start(kafka, &[("TOPIC_PARTITIONS", "3")])?;
    ensure(kafka.partitions(&target.topic)? == Some(3), || "the topic has not 3 partitions".to_owned())?;
    let answer = target.adapter.send(&note(7).header("ce-subject", "s%20t"))?;
    ensure(answer.status == 202 && answer.body.is_empty(), || format!("{answer:?}"))?;
    let record = only(target.records(kafka)?)?;
    ensure(record.key.as_deref() == Some(b"kit-7") && record.headers.is_empty(), || format!("{record:?}"))?;
    let value =
        serde_json::from_slice(&record.value.unwrap_or_default()).map_err(|error| error.to_string())?;
    let event = Event::from_json(&value)?;
    let found = (event.get("id"), event.get("type"), event.get("subject"), event.get("datacontenttype"));
    ensure(found == ("kit-7", "com.example.note", "s t", "application/json"), || format!("{event:?}"))?;
    ensure(event.json() == json!({ "text": "grüße" }), || format!("{event:?}"))
}

fn raw(kafka: &Kafka) -> Outcome {
    let target = Target::start(kafka, &[("DISCARD_CE_CONTEXT", "true")])?;
    let data = [0, 159, 146, 150];
    target.adapter.send(&Example::new("t", "application/octet-stream", data).binary(1))?;
    let record = only(target.records(kafka)?)?;
    let found = (record.key.as_deref(), record.value.as_deref(), record.headers.len());
    ensure(found == (Some(&b"kit-1"[..]), Some(&data[..]), 0), || format!("{record:?}"))
}

fn binary(kafka: &Kafka) -> Outcome {
    let target = Target::start(kafka, &[("CONTENT_MODE", "binary"), ("RECORD_KEY", "partitionkey")])?;
    target.adapter.send(&note(1).header("ce-partitionkey", "k%C3%BC"))?;
    let record = only(target.records(kafka)?)?;
    for (name, expected) in [
        ("ce_specversion", "1.0"),
        ("ce_id", "kit-1"),
        ("ce_source", "/kit"),
        ("ce_type", "com.example.note"),
        ("ce_partitionkey", "kü"),
        ("content-type", "application/json"),
    ] {
        let found = record.header_text(name);
        ensure(found.as_deref() == Some(expected), || format!("{name} is {found:?}"))?;
    }
    ensure(record.key.as_deref() == Some("kü".as_bytes()), || format!("{record:?}"))?;
    ensure(record.value == Some(json!({ "text": "grüße" }).to_string().into()), || format!("{record:?}"))
}

fn structured(kafka: &Kafka) -> Outcome {
    let target = Target::start(kafka, &[("CONTENT_MODE", "structured")])?;
    target.adapter.send(&note(1))?;
    let record = only(target.records(kafka)?)?;
    let media_type = record.header_text("content-type").unwrap_or_default();
    ensure(media_type == "application/cloudevents+json; charset=UTF-8", || media_type.clone())?;
    let value =
        serde_json::from_slice(&record.value.unwrap_or_default()).map_err(|error| error.to_string())?;
    ensure(Event::from_json(&value)?.get("id") == "kit-1", || value.to_string())
}

fn keys(kafka: &Kafka) -> Outcome {
    let target = Target::start(kafka, &[("RECORD_KEY", "subject"), ("TOPIC_PARTITIONS", "4")])?;
    for number in 0..40 {
        target.adapter.send(&note(number).header("ce-subject", &format!("s{}", number % 8)))?;
    }
    let records = target.records(kafka)?;
    let places: std::collections::BTreeSet<_> =
        records.iter().map(|record| (record.key.clone(), record.partition)).collect();
    ensure(records.len() == 40 && places.len() == 8, || format!("{} records, {places:?}", records.len()))?;
    // FNV-1a, as the original's client hashed: these were computed by it (sarama's `NewHashPartitioner`).
    for (key, partition) in [("s0", fnv(b"s0", 4)), ("s5", fnv(b"s5", 4))] {
        let place = places.iter().find(|(known, _)| known.as_deref() == Some(key.as_bytes()));
        ensure(place.is_some_and(|(_, place)| *place == Some(partition)), || format!("{key}: {place:?}"))?;
    }
    let target = Target::start(kafka, &[("RECORD_KEY", "none"), ("TOPIC_PARTITIONS", "4")])?;
    for number in 0..60 {
        target.adapter.send(&note(number))?;
    }
    let records = target.records(kafka)?;
    ensure(records.iter().all(|record| record.key.is_none()), || "there are keys".to_owned())?;
    let used: std::collections::BTreeSet<_> = records.iter().map(|record| record.partition).collect();
    ensure(used.len() > 1, || format!("all in {used:?}"))
}

/// Where sarama puts a key: `int32(fnv1a)`, negated when negative, modulo the count.
fn fnv(key: &[u8], partitions: i32) -> i32 {
    let hash =
        key.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    (hash.cast_signed() % partitions).abs()
}

fn tombstones(kafka: &Kafka) -> Outcome {
    for mode in [&[][..], &[("CONTENT_MODE", "binary")], &[("DISCARD_CE_CONTEXT", "true")]] {
        let settings = [mode, &[("TOMBSTONES", "true"), ("RECORD_KEY", "subject")]].concat();
        let target = Target::start(kafka, &settings)?;
        let bare = Request::post("/")
            .header("ce-specversion", "1.0")
            .header("ce-id", "1")
            .header("ce-source", "/kit")
            .header("ce-type", "com.example.gone")
            .header("ce-subject", "customer-7");
        let answer = target.adapter.send(&bare)?;
        answer.expect(202)?;
        let record = only(target.records(kafka)?)?;
        let found = (record.key.as_deref(), &record.value);
        ensure(found == (Some(&b"customer-7"[..]), &None), || format!("{mode:?}: {record:?}"))?;
    }
    Ok(())
}

fn existing_topic(kafka: &Kafka) -> Outcome {
    let name = topic();
    kafka.create_topic(&name, 2, &[])?;
    let target = Target::start_with(kafka, &name, &[("TOPIC_PARTITIONS", "5")])?;
    target.accepts(1, "x")?;
    ensure(kafka.partitions(&name)? == Some(2), || "it was changed".to_owned())
}

fn many(kafka: &Kafka) -> Outcome {
    const CALLERS: u64 = 16;
    const EACH: u64 = 50;
    let settings = [("TOPIC_PARTITIONS", "4"), ("DISCARD_CE_CONTEXT", "true"), ("COMPRESSION", "zstd")];
    let target = Target::start(kafka, &settings)?;
    kit::at_once(0..CALLERS, |caller| {
        (0..EACH).try_for_each(|number| target.accepts(caller * EACH + number, &format!("{caller}-{number}")))
    })?;
    let records = target.records(kafka)?;
    let values: std::collections::BTreeSet<_> = records.iter().map(|record| record.value.clone()).collect();
    let found = (records.len() as u64, values.len() as u64);
    ensure(found == (CALLERS * EACH, CALLERS * EACH), || format!("{found:?}"))
}
