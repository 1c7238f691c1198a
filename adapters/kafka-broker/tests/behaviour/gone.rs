//! The topic is deleted under the broker, or becomes another one, or gets more partitions.

use std::collections::BTreeSet;

use kit::{Gate, Reply, Sink, eventually};
use peers::Kafka;
use peers::kafka::trials::{Named, topic};
use serde_json::json;

use crate::{
    Broker, Outcome, event, expect, expect_in_any_order, ids, numbered, settled, start, wait_for_ids,
};

pub const TRIALS: &[Named] = &[
    ("a topic that is deleted is made again, and what nobody had read is told as lost", deleted),
    ("a topic that cannot be made again is said by readiness, with the setting", missed),
    ("another topic under the same name is read from its beginning", replaced),
    ("records that the topic dropped before they were delivered are told as lost", dropped),
    ("partitions that are added are written and read", grown),
];

fn triggers(sink: &Sink) -> serde_json::Value {
    json!({"t": {"target": {"url": sink.url("/in")}}})
}

/// How many events were told to be lost, and how many were counted.
fn lost(broker: &Broker) -> Option<(u64, u64)> {
    let told = broker.lost().iter().filter_map(|line| line.json["events"].as_u64()).sum();
    let page = broker.process.metrics().ok()?;
    let line = page.lines().find(|line| line.starts_with("broker_event_lost_count{"))?;
    Some((told, line.rsplit(' ').next()?.parse().ok()?))
}

/// Sends the same event until it is taken.
pub fn insist(broker: &Broker, number: u64) -> Outcome {
    eventually("the event to be taken", || {
        broker.post("a", number).ok().filter(|answer| answer.status == 200)
    })
    .map(drop)
}

/// A broker that has read some of so many events, of which none is delivered before the gate is open.
fn half_read(
    kafka: &Kafka,
    sink: &Sink,
    topic: &str,
    gate: &Gate,
    events: u64,
) -> Result<Broker, kit::Failure> {
    let held = gate.clone();
    sink.route(move |_| Some(Reply::status(202).held(&held)));
    kafka.create_topic(topic, 1, &[])?;
    let settings = [("BROKER_MAX_IN_FLIGHT", "5"), ("BROKER_DELIVERY_TIMEOUT", "300s")];
    let broker = start(kafka, topic, triggers(sink), &settings)?;
    (0..events).try_for_each(|number| broker.accept("a", number))?;
    sink.wait_for(1)?;
    Ok(broker)
}

/// Waits until each of the first events was delivered, or told and counted as lost. What the client had fetched is delivered.
fn accounted(broker: &Broker, sink: &Sink, events: u64) -> Outcome {
    let state = || {
        let arrived: BTreeSet<_> = ids(sink, "/in").into_iter().collect();
        let arrived = numbered(0..events).iter().filter(|id| arrived.contains(*id)).count() as u64;
        Some((arrived, lost(broker)?))
    };
    let is_all = |(arrived, (told, counted)): &(u64, (u64, u64))| told == counted && arrived + told == events;
    eventually("all to be accounted for", || state().filter(is_all))
        .map(drop)
        .map_err(|why| format!("{why}: {:?}\n{}", state(), broker.process.output()))
}

fn deleted(kafka: &Kafka) -> Outcome {
    let (sink, topic, gate) = (Sink::start()?, topic(), Gate::new());
    let broker = half_read(kafka, &sink, &topic, &gate, 20)?;
    kafka.delete_topic(&topic)?;
    eventually("a word of what is lost", || lost(&broker).filter(|(told, _)| *told > 0))?;
    eventually("the topic", || kafka.partitions(&topic).ok()?)?;
    gate.open();
    insist(&broker, 20)?;
    eventually("the new one", || ids(&sink, "/in").contains(&"kit-20".to_owned()).then_some(()))?;
    accounted(&broker, &sink, 20)?;
    settled(kafka, &topic, "t")
}

fn missed(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, topic());
    kafka.create_topic(&topic, 1, &[])?;
    kafka.create_topic(&format!("{topic}.dead"), 1, &[("cleanup.policy", "compact")])?;
    let settings = [("KAFKA_TOPIC_REPLICATION_FACTOR", "3"), ("KAFKA_PRODUCE_TIMEOUT", "1s")];
    let mut broker = start(kafka, &topic, triggers(&sink), &settings)?;
    insist(&broker, 1)?;
    wait_for_ids(&sink, "/in", 1)?;
    settled(kafka, &topic, "t")?;
    kafka.delete_topic(&topic)?;
    broker.process.wait_for_status("/readyz", 503)?;
    let name = "KAFKA_TOPIC_REPLICATION_FACTOR";
    let reason = eventually("why", || {
        let page = broker.json("/status").ok()?;
        let own = page.as_object()?.values().next()?.clone();
        own["ingest"]["message"].as_str().filter(|reason| reason.contains(name)).map(str::to_owned)
    })?;
    let told = |line: &str| line.contains("the topic cannot be reached") && line.contains(name);
    eventually(&reason, || broker.process.output().lines().any(told).then_some(()))?;
    expect(broker.post("a", 2)?.status, 503, "nothing is taken")?;
    kafka.create_topic(&topic, 2, &[])?;
    broker.process.wait_for_status("/readyz", 200)?;
    insist(&broker, 3)?;
    eventually("what came later", || ids(&sink, "/in").contains(&"kit-3".to_owned()).then_some(()))?;
    expect(broker.lost().len(), 0, "all had been delivered")
}

fn replaced(kafka: &Kafka) -> Outcome {
    let (sink, topic, gate) = (Sink::start()?, topic(), Gate::new());
    let broker = half_read(kafka, &sink, &topic, &gate, 10)?;
    kafka.delete_topic(&topic)?;
    // Perhaps before the broker has seen that, perhaps after it has made it again.
    let made = kafka.create_topic(&topic, 1, &[]);
    made.or_else(|_| eventually("the topic", || kafka.partitions(&topic).ok()?).map(drop))?;
    gate.open();
    (10..15).try_for_each(|number| insist(&broker, number))?;
    eventually("what came later", || {
        let arrived = ids(&sink, "/in");
        numbered(10..15).iter().all(|id| arrived.contains(id)).then_some(())
    })?;
    accounted(&broker, &sink, 10)?;
    settled(kafka, &topic, "t")
}

fn dropped(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, topic());
    sink.always(Reply::hang());
    kafka.create_topic(&topic, 1, &[])?;
    let broker = start(kafka, &topic, triggers(&sink), &[])?;
    for number in 0..20 {
        broker.accept("a", number)?;
    }
    sink.wait_for(1)?;
    // SIGKILL.
    drop(broker);
    sink.reset();
    sink.always(Reply::status(202));
    kafka.drop_records(&topic, 0, 15)?;
    let broker = start(kafka, &topic, triggers(&sink), &[])?;
    expect_in_any_order(wait_for_ids(&sink, "/in", 5)?, numbered(15..20), "what is left")?;
    let found = eventually("a word of what is lost", || lost(&broker).filter(|(told, _)| *told > 0))?;
    expect(found, (15, 15), "what was dropped")
}

fn grown(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, topic());
    kafka.create_topic(&topic, 1, &[])?;
    let broker = start(kafka, &topic, triggers(&sink), &[])?;
    broker.accept("a", 0)?;
    wait_for_ids(&sink, "/in", 1)?;
    kafka.grow_topic(&topic, 4)?;
    let mut sent = 1;
    // Each key has its partition; for a while it is the one that there was.
    eventually("records in all partitions", || {
        for key in 0..16 {
            let request = event("a", sent).header("ce-partitionkey", &format!("k{key}"));
            broker.send(&request).ok().filter(|answer| answer.status == 200)?;
            sent += 1;
        }
        let written = kafka.records(&topic).ok()?;
        let partitions: BTreeSet<_> = written.iter().map(|record| record.partition).collect();
        (partitions.len() == 4).then_some(())
    })?;
    let count = usize::try_from(sent).map_err(|error| error.to_string())?;
    let arrived = wait_for_ids(&sink, "/in", count)?;
    expect_in_any_order(arrived, numbered(0..sent), "each once, from the beginning of each partition")?;
    settled(kafka, &topic, "t")
}
