//! The Kafka target between callers that send an event again until it is answered 2xx, and a broker that is killed while
//! records are on their way: what it had and did not confirm may come once more.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use fastrand::Rng;
use kit::{Example, Failure, Request, ensure};
use peers::Kafka;

use crate::report::Report;
use crate::target::{CALLERS, KILLS, taken};

const ADAPTER: &str = "kafka-target";
const TOPIC: &str = "faults";
/// Every so many kills of the target the broker is killed too.
const RESTART_EVERY: usize = 6;

pub fn trial(seed: u64) -> Result<(), Failure> {
    let mut random = Rng::with_seed(seed);
    let kafka = RefCell::new(Kafka::start()?);
    let environment = [
        ("BOOTSTRAP_SERVERS", kafka.borrow().plaintext()),
        ("TOPIC", TOPIC.to_owned()),
        ("TOPIC_PARTITIONS", "3".to_owned()),
        ("DISCARD_CE_CONTEXT", "true".to_owned()),
        ("DELIVERY_TIMEOUT", "3s".to_owned()),
    ];
    let (kills, restarts, failure) = (Cell::new(0), Cell::new(0), RefCell::new(None));
    let disturb = || {
        kills.set(kills.get() + 1);
        if kills.get() % RESTART_EVERY == 0 {
            restarts.set(restarts.get() + 1);
            *failure.borrow_mut() = kafka.borrow_mut().restart().err();
        }
    };
    let taken = taken(ADAPTER, &environment, request, disturb, &mut random)?;
    if let Some(failure) = failure.into_inner() {
        return Err(failure);
    }
    let mut counts = BTreeMap::<Vec<u8>, usize>::new();
    for record in kafka.borrow().records(TOPIC)? {
        *counts.entry(record.value.unwrap_or_default()).or_default() += 1;
    }
    let lost: Vec<_> =
        taken.iter().filter(|number| !counts.contains_key(number.to_string().as_bytes())).collect();
    let report = Report {
        adapter: ADAPTER,
        fate: "killed at random, and its broker",
        kills: KILLS,
        taken: taken.len(),
        lost: lost.len(),
        duplicates: counts.values().map(|count| count - 1).sum(),
        for_each_kill: CALLERS,
        // What each caller had out when the broker went; Kafka does not tell how much of it was written.
        unconfirmed: restarts.get() * CALLERS,
        seed,
    };
    report.print()?;
    ensure(lost.is_empty(), || format!("lost: {lost:?}"))
}

fn request(number: usize) -> Request {
    Example::new("com.example.event", "text/plain", number.to_string()).binary(number as u64)
}
