//! Adapters killed at random (SIGKILL) while the other side fails a third of the time: what is lost, what comes twice.
//!
//! Each trial prints a line of a table with its seed. `TRESTLE_SEED` takes the random choices of an earlier run again; the
//! moments of the system's own scheduler are not among them.

#![expect(
    clippy::disallowed_methods,
    reason = "a test tool outside the frame: it waits, and reads its environment"
)]

mod broker;
mod durable;
mod flaky;
mod front;
mod group;
mod hub;
mod kept;
mod object;
mod poll;
mod queue;
mod record;
mod report;
mod source;
mod target;
mod topic;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Most of the time they wait for time-outs.
    arguments.test_threads = arguments.test_threads.or(Some(6));
    let seed = std::env::var("TRESTLE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    let mut trials = vec![
        Trial::test("a poll source loses nothing", move || Ok(poll::trial(seed)?)),
        Trial::test("a broker in memory loses what it holds, and says so", move || Ok(broker::trial(seed)?)),
    ];
    trials.extend(target::SUBJECTS.into_iter().map(|subject| {
        let name = format!("{} loses nothing that its caller sends again", subject.adapter);
        Trial::test(name, move || Ok(target::trial(&subject, seed)?))
    }));
    trials.push(Trial::test("aws-s3-target loses nothing and stores nothing twice", move || {
        Ok(object::trial(seed)?)
    }));
    trials.extend(queue::trials(seed));
    trials.push(Trial::test(
        "google-cloud-pubsub-target loses nothing that its caller sends again",
        move || Ok(topic::trial(seed)?),
    ));
    trials.push(Trial::test("kafka-target loses nothing that its caller sends again", move || {
        Ok(record::trial(seed)?)
    }));
    trials.push(Trial::test("azure-eventhubs-target loses nothing that its caller sends again", move || {
        Ok(hub::trial(seed)?)
    }));
    trials.extend(durable::trials(seed));
    trials.push(Trial::test("aggregator loses no part that a broker holds", move || Ok(group::trial(seed)?)));
    trials.extend(source::trials(seed));
    libtest_mimic::run(&arguments, trials).exit_code()
}
