//! Sources that pull, between an upstream system and a sink that fails: everything sent arrives, in order where that is
//! promised, and no more comes twice than was in flight when the process died.

mod eventhubs;
mod judge;
mod kafka;
mod killed;
mod pubsub;
mod replicas;
mod sqs;
mod stopped;

use std::ops::Range;
use std::time::Duration;

use kit::{Captured, Failure, Process};
use libtest_mimic::Trial;

use crate::flaky::Flaky;

/// Messages of one trial with kills.
const MESSAGES: usize = 2000;
/// Order is kept within each of so many keys; the key of a message is the rest of its number.
pub const KEYS: usize = 16;
/// What may be in flight.
pub const IN_FLIGHT: usize = 40;

/// One source and its upstream system.
pub struct Subject {
    /// What the table calls it.
    pub name: &'static str,
    pub adapter: &'static str,
    pub ordered: bool,
    /// Most duplicates that the end of one process may make.
    pub for_each_kill: usize,
    /// Most that another process makes when it takes partitions without waiting for the one that has them.
    pub for_each_theft: usize,
    /// Longer than any time-out of it.
    pub past: Duration,
    /// Starts the upstream system, or a part of it that nobody else uses.
    pub start: fn() -> Result<Box<dyn Upstream>, Failure>,
}

/// An upstream system as a trial sees it.
pub trait Upstream {
    /// What the adapter needs to find it, time-outs of at most 6 s among it.
    fn environment(&self) -> Vec<(&'static str, String)>;

    /// Puts messages in, in the order of their numbers.
    fn feed(&self, numbers: Range<usize>) -> Result<(), Failure>;

    /// The number of a message that arrived.
    fn number(&self, request: &Captured) -> Result<usize, Failure>;

    /// How many messages are not acknowledged.
    fn left(&self) -> Result<usize, Failure>;
}

/// The subjects.
fn subjects() -> Vec<Subject> {
    vec![
        sqs::standard(),
        sqs::fifo(),
        pubsub::plain(),
        pubsub::ordered(),
        kafka::subject(),
        eventhubs::subject(),
    ]
}

/// All trials of all subjects.
pub fn trials(seed: u64) -> Vec<Trial> {
    type Run = fn(&Scene) -> Result<(), Failure>;
    let fates: [(&str, Run); 3] = [
        ("killed at random", killed::trial),
        ("stopped past its lease and woken", stopped::trial),
        ("two of it, one killed, one added", replicas::trial),
    ];
    let with_fate = |(fate, run): (&'static str, Run)| {
        subjects().into_iter().map(move |subject| {
            let name = format!("{} loses nothing: {fate}", subject.name);
            Trial::test(name, move || Ok(run(&Scene::new(subject, fate, seed)?)?))
        })
    };
    fates.into_iter().flat_map(with_fate).chain([kafka::restarted(seed)]).collect()
}

/// A subject that is set up, and its sink.
struct Scene {
    subject: Subject,
    fate: &'static str,
    upstream: Box<dyn Upstream>,
    sink: Flaky,
    seed: u64,
}

impl Scene {
    fn new(subject: Subject, fate: &'static str, seed: u64) -> Result<Self, Failure> {
        Ok(Self { upstream: (subject.start)()?, subject, fate, sink: Flaky::start(seed)?, seed })
    }

    /// Starts a process.
    fn process(&self) -> Result<Process, Failure> {
        let common = [
            ("K_SINK", self.sink.sink.url("/")),
            ("K_SINK_TIMEOUT", "1".to_owned()),
            ("MAX_IN_FLIGHT", IN_FLIGHT.to_string()),
        ];
        Process::start(self.subject.adapter, &[], &[&common[..], &self.upstream.environment()].concat())
    }

    /// The numbers of what was accepted, in order.
    fn accepted(&self) -> Result<Vec<usize>, Failure> {
        self.sink.requests().iter().map(|request| self.upstream.number(request)).collect()
    }
}
