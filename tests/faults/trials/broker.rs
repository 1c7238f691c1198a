//! `memory-broker` with a target that fails: what it had accepted and not delivered is gone with it, as its README says.

use std::collections::BTreeSet;
use std::time::Duration;

use fastrand::Rng;
use kit::{Example, Failure, Process, ensure, eventually};

use crate::flaky::Flaky;
use crate::report::Report;

const KILLS: usize = 6;
/// Events for each life of the broker.
const EVENTS: usize = 40;
/// What the README promises, and no more.
const README: &str = include_str!("../../../adapters/memory-broker/README.md");

pub fn trial(seed: u64) -> Result<(), Failure> {
    let mut random = Rng::with_seed(seed);
    let target = Flaky::start(random.u64(..))?;
    let url = target.sink.url("/");
    let document = format!(
        "triggers: {{all: {{target: {{url: '{url}', deliveryOptions: {{retry: 100, backoffPolicy: constant, \
         backoffDelay: 50ms, timeout: PT10S, concurrency: 4}}}}}}}}"
    );
    let environment = [("BROKER_CONFIG", &*document), ("DRAIN_SECONDS", "0")];
    let start = || Process::start("memory-broker", &[], &environment);

    let mut accepted = Vec::new();
    for life in 0..KILLS {
        let mut process = start()?;
        accepted.extend(feed(&mut process, life)?);
        std::thread::sleep(Duration::from_millis(random.u64(..100)));
        // SIGKILL, and the end of the process.
        drop(process);
    }
    // One life that ends in peace: nothing of it may be missing.
    let mut process = start()?;
    let last = feed(&mut process, KILLS)?;
    process.stop()?;
    let delivered: BTreeSet<_> = target.accepted().into_iter().collect();
    ensure(last.iter().all(|event| delivered.contains(event)), || "lost without a kill".to_owned())?;
    accepted.extend(last);

    let lost = accepted.iter().filter(|event| !delivered.contains(*event)).count();
    let report = Report {
        adapter: "memory-broker",
        fate: "killed at random",
        kills: KILLS,
        taken: accepted.len(),
        lost,
        duplicates: target.accepted().len() - delivered.len(),
        // A delivery whose answer was on its way dies with the rest: nobody sends it again.
        for_each_kill: 0,
        unconfirmed: 0,
        seed,
    };
    report.print()?;
    let promise = "**It is in memory only**: a crash, `kill -9` or a lost node takes with it";
    ensure(README.contains(promise), || format!("the README of memory-broker does not say: {promise}"))
}

/// Sends events to a broker that has just started, and gives those that it answered with 2xx.
fn feed(process: &mut Process, life: usize) -> Result<Vec<String>, Failure> {
    process.wait_for_status("/readyz", 200)?;
    let address = process.address()?;
    let mut accepted = Vec::new();
    for number in 0..EVENTS {
        let name = format!("{life}-{number}");
        let example = Example::new("com.example.event", "text/plain", name.clone());
        let request = example.binary((life * EVENTS + number) as u64);
        let taken = eventually("an event that is taken", || {
            request.send(address).ok().map(|answer| answer.is_success())
        })?;
        if taken {
            accepted.push(name);
        }
    }
    Ok(accepted)
}
