//! Several processes share the partitions; what one had is another's when it goes.

use std::collections::BTreeSet;

use kit::{Reply, Sink, eventually};
use peers::Kafka;
use serde_json::json;

use crate::{Broker, Named, Outcome, event, settled, start, topic};

pub const TRIALS: &[Named] = &[
    ("two share the work, one is killed, one stops", shared),
    ("what a killed process had in work is delivered by the next", killed),
];

fn post_all(brokers: &[&Broker], numbers: std::ops::Range<u64>) -> Outcome {
    for number in numbers {
        let broker = brokers[usize::try_from(number).unwrap_or_default() % brokers.len()];
        let key = format!("k{}", number % 8);
        let answer = broker.send(&event("a", number).header("ce-partitionkey", &key))?;
        answer.expect(200)?;
    }
    Ok(())
}

fn arrived(sink: &Sink) -> BTreeSet<String> {
    crate::ids(sink, "/in").into_iter().collect()
}

fn shared(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, topic());
    kafka.create_topic(&topic, 4, &[])?;
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}}});
    let another = || start(kafka, &topic, triggers.clone(), &[]);
    let (one, mut two) = (another()?, another()?);
    post_all(&[&one, &two], 0..200)?;
    eventually("the first", || (arrived(&sink).len() == 200).then_some(()))?;
    // SIGKILL.
    drop(one);
    post_all(&[&two], 200..300)?;
    eventually("what came after a kill", || (arrived(&sink).len() == 300).then_some(()))?;
    let three = another()?;
    two.process.stop()?;
    post_all(&[&three], 300..400)?;
    eventually("what came after a stop", || (arrived(&sink).len() == 400).then_some(()))?;
    settled(kafka, &topic, "t")
}

fn killed(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, topic());
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}}});
    sink.always(Reply::hang());
    let one = start(kafka, &topic, triggers.clone(), &[])?;
    post_all(&[&one], 0..20)?;
    sink.wait_for(20)?;
    // SIGKILL.
    drop(one);
    sink.reset();
    sink.always(Reply::status(202));
    let _two = start(kafka, &topic, triggers, &[])?;
    eventually("all of them", || (arrived(&sink).len() == 20).then_some(()))?;
    settled(kafka, &topic, "t")
}
