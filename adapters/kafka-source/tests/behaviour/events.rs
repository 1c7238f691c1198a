//! Which event a record becomes, in what order events come, and what is held back.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use kit::{Captured, Reply, ensure};
use peers::{Kafka, Record};

use crate::{Bridge, Named, Outcome, numbered};

pub const TRIALS: &[Named] = &[
    ("an event is as the original made it, with an id of its own", original),
    ("keys, headers and tombstones", attributes),
    ("CloudEvents by the binding, where asked", cloudevents),
    ("the order of a partition is kept", order),
    ("a record that the sink refuses holds its partition only", poison),
    ("with a dead letter sink it holds nothing", dead_letter),
    ("records with the same key keep their order beside others", keys),
    ("memory stays small with a full topic and a sink that hangs", memory),
];

fn original(kafka: &Kafka) -> Outcome {
    let bridge = Bridge::new(kafka, 1)?;
    bridge.produce(&[Record::new("{\"a\": 1.0}").key("k"), Record::new("x")])?;
    let _process = bridge.start(&[])?;
    let events = bridge.sink.events(2)?;
    let event = &events[0];
    let topic = bridge.topic.as_str();
    for (name, expected) in [
        ("id", format!("{topic}/0/0")),
        ("source", topic.to_owned()),
        ("type", "io.triggermesh.kafka.event".to_owned()),
        ("subject", "kafka/event".to_owned()),
        ("datacontenttype", "application/json".to_owned()),
        ("partitionkey", "k".to_owned()),
    ] {
        ensure(event.get(name) == expected, || format!("{name} is {:?}", event.get(name)))?;
    }
    ensure(event.data == b"{\"a\": 1.0}", || format!("{event:?}"))?;
    ensure(events[1].get("id") == format!("{topic}/0/1"), || format!("{:?}", events[1]))?;
    bridge.committed(&[2])
}

fn attributes(kafka: &Kafka) -> Outcome {
    let bridge = Bridge::new(kafka, 1)?;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    bridge.produce(&[
        Record::new("a").key("same"),
        Record::new("b").key("same").header("X-Tenant", "ü").header("traceparent", trace),
        Record { key: Some(b"gone".to_vec()), ..Record::default() },
        Record::new("c").key([0xff, 0]).header("content-type", "text/plain"),
    ])?;
    let _process = bridge.start(&[("EVENT_ID", "key"), ("HEADER_EXTENSIONS", "true")])?;
    let events = bridge.sink.events(4)?;
    let ids: Vec<_> = events.iter().map(|event| event.get("id").to_owned()).collect();
    ensure(ids == ["same", "same", "gone", &format!("{}/0/3", bridge.topic)], || format!("{ids:?}"))?;
    ensure(events[1].get("kafkaheaderxtenant") == "ü", || format!("{:?}", events[1]))?;
    ensure(events[1].get("traceparent").contains("4bf92f3577b34da6a3ce929d0e0e4736"), || {
        format!("{:?}", events[1])
    })?;
    let requests = bridge.sink.requests();
    let parent = requests[1].headers.get("traceparent").unwrap_or_default();
    ensure(parent.contains("4bf92f3577b34da6a3ce929d0e0e4736"), || format!("the request has {parent:?}"))?;
    let tombstone = &events[2];
    let bare = tombstone.data.is_empty() && !tombstone.attributes.contains_key("datacontenttype");
    ensure(bare && tombstone.get("partitionkey") == "gone", || format!("{tombstone:?}"))?;
    let binary = &events[3];
    let found = (binary.get("partitionkey"), binary.get("datacontenttype"));
    ensure(found == ("", "text/plain"), || format!("{binary:?}"))
}

fn cloudevents(kafka: &Kafka) -> Outcome {
    let bridge = Bridge::new(kafka, 1)?;
    let header = |record: Record, id: &str| {
        record
            .header("ce_specversion", "1.0")
            .header("ce_id", id)
            .header("ce_source", "/s")
            .header("ce_type", "com.example.t")
    };
    let json = r#"{"specversion":"1.0","id":"2","source":"/s","type":"com.example.t","data":{"n":2}}"#;
    bridge.produce(&[
        header(Record::new("hello"), "1").header("content-type", "text/plain").key("k"),
        Record::new(json).header("content-type", "application/cloudevents+json; charset=UTF-8"),
        Record::new(json).header("content-type", "application/cloudevents+json").header("ignored", [0xff]),
        Record::new("none").header("content-type", "application/cloudevents+json"),
        Record::new("plain"),
    ])?;
    let _process = bridge.start(&[("DECODE_CLOUDEVENTS", "true")])?;
    let events = bridge.sink.events(5)?;
    let found: Vec<_> = events.iter().map(|event| (event.get("type"), event.data.as_slice())).collect();
    let (kind, plain) = ("com.example.t", "io.triggermesh.kafka.event");
    let expected: [(&str, &[u8]); 5] =
        [(kind, b"hello"), (kind, b"{\"n\":2}"), (kind, b"{\"n\":2}"), (plain, b"none"), (plain, b"plain")];
    ensure(found == expected, || format!("{found:?}"))?;
    ensure(events[0].get("partitionkey") == "k" && events[0].get("id") == "1", || format!("{:?}", events[0]))
}

/// The numbers in the order in which they came, for each partition.
fn by_partition(requests: &[Captured], partitions: usize) -> BTreeMap<usize, Vec<usize>> {
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for number in requests.iter().filter_map(|request| request.text().parse::<usize>().ok()) {
        found.entry(number % partitions).or_default().push(number);
    }
    found
}

fn order(kafka: &Kafka) -> Outcome {
    let bridge = Bridge::new(kafka, 3)?;
    bridge.produce(&numbered(0..300, 3))?;
    bridge.sink.script((0..20).map(|n| Reply::status(if n % 4 == 0 { 503 } else { 202 })));
    let _process = bridge.start(&[])?;
    bridge.sink.wait_for(305)?;
    bridge.committed(&[100, 100, 100])?;
    for (partition, mut numbers) in by_partition(&bridge.sink.requests(), 3) {
        numbers.dedup();
        let expected: Vec<_> = (0..300).filter(|number| number % 3 == partition).collect();
        ensure(numbers == expected, || format!("{partition}: {numbers:?}"))?;
    }
    Ok(())
}

fn poison(kafka: &Kafka) -> Outcome {
    let bridge = Bridge::new(kafka, 2)?;
    bridge.produce(&numbered(0..40, 2))?;
    bridge.sink.route(|request| (request.text() == "4").then(|| Reply::status(400)));
    let mut process = bridge.start(&[])?;
    // 0 and 2 of the first partition, all of the second.
    bridge.committed(&[2, 20])?;
    let line = process.wait_for_line("an event is held back")?;
    ensure(line.field("event_id") == format!("{}/0/2", bridge.topic), || line.text.clone())?;
    ensure(process.exited().is_none(), || process.output())?;
    // The sink has learned it.
    bridge.sink.route(|_| None);
    drop(process);
    let _process = bridge.start(&[])?;
    bridge.committed(&[20, 20])
}

fn dead_letter(kafka: &Kafka) -> Outcome {
    let bridge = Bridge::new(kafka, 1)?;
    let letters = kit::Sink::start()?;
    bridge.produce(&numbered(0..5, 1))?;
    bridge.sink.route(|request| (request.text() == "2").then(|| Reply::status(400)));
    let _process = bridge.start(&[("DEAD_LETTER_SINK", &letters.url("/"))])?;
    bridge.committed(&[5])?;
    let letter = letters.wait_for(1)?.remove(0).event()?;
    ensure(letter.data == b"2" && letter.get("knativeerrorcode") == "400", || format!("{letter:?}"))?;
    let place = format!("{}/0@2", bridge.topic);
    ensure(letter.attributes.values().any(|value| *value == place), || format!("no {place} in {letter:?}"))
}

fn keys(kafka: &Kafka) -> Outcome {
    let bridge = Bridge::new(kafka, 1)?;
    let records: Vec<_> =
        (0..200).map(|number| Record::new(number.to_string()).key(format!("k{}", number % 5))).collect();
    bridge.produce(&records)?;
    let gate = kit::Gate::new();
    let held = gate.clone();
    // The first of one key is held: the others go on.
    bridge.sink.route(move |request| (request.text() == "0").then(|| Reply::status(202).held(&held)));
    let _process = bridge.start(&[("DELIVERY_ORDER", "key"), ("DELIVERY_PARALLELISM", "64")])?;
    let passed = |count: usize| bridge.sink.count() >= count;
    kit::eventually("the records of other keys", || passed(120).then_some(()))?;
    gate.open();
    bridge.committed(&[200])?;
    let mut found = by_partition(&bridge.sink.requests(), 5);
    for numbers in found.values_mut() {
        numbers.dedup();
        ensure(numbers.is_sorted() && numbers.len() == 40, || format!("{numbers:?}"))?;
    }
    Ok(())
}

fn memory(kafka: &Kafka) -> Outcome {
    const PARTITIONS: i32 = 24;
    let bridge = Bridge::new(kafka, PARTITIONS)?;
    // 120 MB, and as many small ones as make 20 MB.
    let (large, small) = (vec![b'x'; 100_000], vec![b'y'; 100]);
    let of = |value: &[u8], count: i32| -> Vec<Record> {
        (0..count).map(|number| Record::new(value).partition(number % PARTITIONS)).collect()
    };
    bridge.produce(&of(&large, 1200))?;
    bridge.produce(&of(&small, 200_000))?;
    bridge.sink.always(Reply::hang());
    let process = bridge.start(&[])?;
    bridge.sink.wait_for(PARTITIONS as usize)?;
    // Until it has not grown for a while.
    let (mut last, mut since) = (0, Instant::now());
    kit::eventually("an end of the growth", || {
        let now = process.memory("VmRSS").ok()?;
        if now > last + (1 << 19) {
            (last, since) = (now, Instant::now());
        }
        (since.elapsed() > Duration::from_secs(3)).then_some(())
    })?;
    let peak = process.memory("VmHWM")? >> 20;
    ensure(peak < 64, || format!("{peak} MB"))
}
