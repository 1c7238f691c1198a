//! What the broker does with events, seen from outside: the real binary between a sender, a real Kafka and scripted
//! receivers.

mod away;
mod dead_letters;
mod delivery;
mod replay;
mod replicas;
mod security;

use std::{
    fs,
    net::SocketAddr,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use kit::broker::{answer_by_path, event, expect, ids, numbered, trigger, wait_for_ids};
use kit::{Failure, Process, Request, Response, eventually};
use libtest_mimic::{Arguments, Trial};
use peers::Kafka;
use serde_json::{Value, json};
use tempfile::TempDir;

type Outcome = Result<(), Failure>;
type Named = (&'static str, fn(&Kafka) -> Outcome);

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A trial mostly waits.
    arguments.test_threads.get_or_insert(4);
    // One broker for all of them; each has a topic of its own.
    let kafka = Arc::new(std::sync::OnceLock::new());
    let trials = [delivery::TRIALS, dead_letters::TRIALS, replay::TRIALS, replicas::TRIALS, security::TRIALS];
    let mut trials: Vec<_> = trials
        .concat()
        .into_iter()
        .map(|(name, run)| {
            let kafka = Arc::clone(&kafka);
            Trial::test(name, move || match kafka.get_or_init(Kafka::start) {
                Ok(kafka) => Ok(run(kafka)?),
                Err(failure) => Err(failure.clone().into()),
            })
        })
        .collect();
    trials.push(Trial::test("Kafka goes away and comes back", || Ok(away::outage()?)));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A running broker whose document is a file.
struct Broker {
    process: Process,
    address: SocketAddr,
    folder: TempDir,
    topic: String,
}

/// A name that no other trial has.
fn topic() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("events-{}", NEXT.fetch_add(1, Ordering::SeqCst))
}

impl Broker {
    /// One with a topic of its own that is ready.
    fn start(kafka: &Kafka, triggers: Value, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        Self::at(&kafka.plaintext(), &topic(), triggers, settings)
    }

    /// One that is ready.
    fn at(address: &str, topic: &str, triggers: Value, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let mut all = vec![("KAFKA_ADDRESSES", address)];
        all.extend(settings);
        let mut broker = Self::begin(topic, &json!({"triggers": triggers}), &all)?;
        broker.process.wait_for_status("/readyz", 200)?;
        Ok(broker)
    }

    /// One that listens.
    fn begin(topic: &str, document: &Value, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let path = folder.path().join("broker.conf");
        fs::write(&path, document.to_string()).map_err(|error| error.to_string())?;
        let path = path.display().to_string();
        let mut environment: Vec<(String, String)> = Vec::new();
        let base = [
            ("BROKER_CONFIG_PATH", path.as_str()),
            ("DRAIN_SECONDS", "0"),
            ("KAFKA_TOPIC", topic),
            ("KAFKA_CONSUMER_GROUP_PREFIX", topic),
            ("KAFKA_SESSION_TIMEOUT", "3s"),
        ];
        environment.extend(
            base.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let mut process = Process::start("kafka-broker", &["start"], &environment)?;
        let address = process.address()?;
        Ok(Self { process, address, folder, topic: topic.to_owned() })
    }

    /// Puts other triggers into force.
    fn reload(&self, triggers: Value) -> Outcome {
        let line = "the configuration document is in force";
        let loads = || self.process.log().iter().filter(|found| found.field("message") == line).count();
        let (before, new) = (loads(), self.folder.path().join("new"));
        fs::write(&new, json!({"triggers": triggers}).to_string()).map_err(|error| error.to_string())?;
        fs::rename(new, self.folder.path().join("broker.conf")).map_err(|error| error.to_string())?;
        eventually("the new document in force", || (loads() > before).then_some(()))
    }

    fn post(&self, request: &Request) -> Result<Response, Failure> {
        request.send(self.address).map_err(|error| error.to_string())
    }

    /// Sends an event that must be accepted.
    fn accept(&self, event_type: &str, number: u64) -> Outcome {
        let answer = self.post(&event(event_type, number))?;
        expect(answer.status, 200, &answer.text())
    }

    /// Asks a page.
    fn page(&self, method: &str, path: &str) -> Result<Response, Failure> {
        self.post(&Request::new(method, path))
    }

    fn json(&self, path: &str) -> Result<Value, Failure> {
        let answer = self.page("GET", path)?;
        expect(answer.status, 200, &answer.text())?;
        serde_json::from_slice(&answer.body).map_err(|error| error.to_string())
    }

    /// How many records a trigger's group has not done with; those without a position count whole.
    fn lag(&self, kafka: &Kafka, trigger: &str) -> Result<i64, Failure> {
        lag(kafka, &self.topic, trigger)
    }
}

/// How many records a trigger's group has not done with.
fn lag(kafka: &Kafka, topic: &str, trigger: &str) -> Result<i64, Failure> {
    let done: i64 = kafka.committed(&format!("{topic}.{trigger}"), topic)?.into_iter().flatten().sum();
    let written = i64::try_from(kafka.records(topic)?.len()).map_err(|error| error.to_string())?;
    Ok(written - done)
}
