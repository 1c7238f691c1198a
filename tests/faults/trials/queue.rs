//! The SQS target between callers that send an event again until it is answered 2xx, and ElasticMQ behind a network that
//! fails. A standard queue may get an event twice; a FIFO queue knows it by its deduplication id.

use std::collections::BTreeMap;

use fastrand::Rng;
use kit::{Captured, Example, Failure, Request, ensure};
use libtest_mimic::Trial;
use peers::Queue;
use serde_json::{Value, json};

use crate::front::Front;
use crate::report::Report;
use crate::target::{CALLERS, KILLS, taken};

const ADAPTER: &str = "aws-sqs-target";

pub fn trials(seed: u64) -> [Trial; 2] {
    [("aws-sqs-target", false), ("aws-sqs-target, FIFO", true)].map(|(name, fifo)| {
        Trial::test(format!("{name} loses nothing that its caller sends again"), move || {
            Ok(trial(name, fifo, seed)?)
        })
    })
}

fn trial(name: &'static str, fifo: bool, seed: u64) -> Result<(), Failure> {
    let mut random = Rng::with_seed(seed);
    let queue = if fifo { Queue::fifo(&json!({}))? } else { Queue::standard(&json!({}))? };
    let front = Front::before(queue.address(), random.fork(), entries)?;
    let mut environment = queue.settings(front.sink.url(""));
    environment.push(("AWS_DISCARD_CE_CONTEXT", "true".to_owned()));
    let taken = taken(ADAPTER, &environment, request, || front.wait_for_a_request(), &mut random)?;
    let mut counts = BTreeMap::<String, usize>::new();
    for message in queue.take()? {
        *counts.entry(message["Body"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    let lost: Vec<_> = taken.iter().filter(|number| !counts.contains_key(&number.to_string())).collect();
    let report = Report {
        adapter: name,
        fate: "killed at random",
        kills: KILLS,
        taken: taken.len(),
        lost: lost.len(),
        duplicates: counts.values().map(|count| count - 1).sum(),
        for_each_kill: if fifo { 0 } else { CALLERS },
        unconfirmed: if fifo { 0 } else { front.unconfirmed() },
        seed,
    };
    report.print()?;
    ensure(lost.is_empty(), || format!("lost: {lost:?}"))?;
    ensure(front.unconfirmed() > 0, || "every answer came back".to_owned())
}

fn request(number: usize) -> Request {
    Example::new("com.example.event", "text/plain", number.to_string()).binary(number as u64)
}

/// How many messages a call carries.
fn entries(request: &Captured) -> usize {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    body["Entries"].as_array().map_or(0, Vec::len)
}
