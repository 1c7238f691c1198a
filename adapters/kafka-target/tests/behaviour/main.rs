//! What callers see of the Kafka target, and what stands in the topic: the real binary before a real broker.

mod records;
mod refusals;
mod security;

use std::{
    net::SocketAddr,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use kit::{Example, Failure, Process, Request, Response};
use libtest_mimic::{Arguments, Trial};
use peers::{Kafka, Record};

type Outcome = Result<(), Failure>;
type Named = (&'static str, fn(&Kafka) -> Outcome);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // One broker for all of them; each has a topic of its own.
    let kafka = Arc::new(std::sync::OnceLock::new());
    let trials = [records::TRIALS, security::TRIALS, refusals::TRIALS].concat().into_iter();
    let mut trials: Vec<_> = trials
        .map(|(name, run)| {
            let kafka = Arc::clone(&kafka);
            Trial::test(name, move || match kafka.get_or_init(Kafka::start) {
                Ok(kafka) => Ok(run(kafka)?),
                Err(failure) => Err(failure.clone().into()),
            })
        })
        .collect();
    trials.push(Trial::test("no answer of success without the record, over restarts of the broker", || {
        Ok(refusals::outage()?)
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The binary and its topic.
struct Target {
    process: Process,
    address: SocketAddr,
    topic: String,
}

/// A name that no other trial has.
fn topic() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("target-{}", NEXT.fetch_add(1, Ordering::SeqCst))
}

fn environment(bootstrap: &str, topic: &str, settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let base = [("BOOTSTRAP_SERVERS", bootstrap), ("TOPIC", topic), ("DRAIN_SECONDS", "0")];
    let all = base.iter().chain(settings);
    all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

impl Target {
    fn launch(bootstrap: &str, topic: &str, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let mut process = Process::start("kafka-target", &[], &environment(bootstrap, topic, settings))?;
        Ok(Self { address: process.address()?, process, topic: topic.to_owned() })
    }

    /// One on the plain listener, ready.
    fn start(kafka: &Kafka, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let mut target = Self::launch(&kafka.plaintext(), &topic(), settings)?;
        target.process.wait_for_status("/readyz", 200)?;
        Ok(target)
    }

    fn send(&self, request: &Request) -> Result<Response, Failure> {
        request.send(self.address).map_err(|error| error.to_string())
    }

    /// Sends an event with this text and expects a success.
    fn accepts(&self, number: u64, text: &str) -> Outcome {
        let answer = self.send(&Example::new("com.example.note", "text/plain", text).binary(number))?;
        kit::ensure(answer.status == 202, || format!("{}: {}", answer.status, answer.text()))
    }

    fn records(&self, kafka: &Kafka) -> Result<Vec<Record>, Failure> {
        kafka.records(&self.topic)
    }
}

/// The only record of a topic.
fn only(records: Vec<Record>) -> Result<Record, Failure> {
    match <[Record; 1]>::try_from(records) {
        Ok([record]) => Ok(record),
        Err(records) => Err(format!("not one record: {records:?}")),
    }
}
