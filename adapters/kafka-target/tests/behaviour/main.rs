//! What callers see of the Kafka target, and what stands in the topic: the real binary before a real broker.

mod records;
mod refusals;
mod security;

use std::process::ExitCode;

use kit::{Adapter, Example, Failure};
use peers::kafka::trials::{self, Named, topic};
use peers::{Kafka, Record};

type Outcome = Result<(), Failure>;

fn main() -> ExitCode {
    trials::run(
        &[records::TRIALS, security::TRIALS, refusals::TRIALS],
        &[("no answer of success without the record, over restarts of the broker", refusals::outage)],
    )
}

/// The binary and its topic.
struct Target {
    adapter: Adapter,
    topic: String,
}

fn environment<'a>(
    bootstrap: &'a str,
    topic: &'a str,
    settings: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    [&[("BOOTSTRAP_SERVERS", bootstrap), ("TOPIC", topic), ("DRAIN_SECONDS", "0")], settings].concat()
}

impl Target {
    fn launch(bootstrap: &str, topic: &str, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let adapter = Adapter::listening("kafka-target", &environment(bootstrap, topic, settings))?;
        Ok(Self { adapter, topic: topic.to_owned() })
    }

    /// One on the plain listener, ready.
    fn start(kafka: &Kafka, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        Self::start_with(kafka, &topic(), settings)
    }

    /// The same with a topic that may be there.
    fn start_with(kafka: &Kafka, topic: &str, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let mut target = Self::launch(&kafka.plaintext(), topic, settings)?;
        target.adapter.process.wait_for_status("/readyz", 200)?;
        Ok(target)
    }

    /// Sends an event with this text and expects a success.
    fn accepts(&self, number: u64, text: &str) -> Outcome {
        let answer =
            self.adapter.send(&Example::new("com.example.note", "text/plain", text).binary(number))?;
        answer.expect(202)
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
