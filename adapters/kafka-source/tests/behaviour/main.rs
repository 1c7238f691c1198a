//! What becomes of records: the real binary between a real broker and a sink.

mod events;
mod group;
mod security;

use std::process::ExitCode;

use kit::{Failure, Process, Sink};
use peers::kafka::trials::{self, Named, topic};
use peers::{Kafka, Record};

type Outcome = Result<(), Failure>;

fn main() -> ExitCode {
    trials::run(
        &[events::TRIALS, group::TRIALS, security::TRIALS],
        &[("a broker that goes and comes back costs nothing", group::outage)],
    )
}

/// A topic and its group, and a sink; what is started between them may come and go.
struct Bridge<'a> {
    kafka: &'a Kafka,
    sink: Sink,
    topic: String,
    bootstrap: String,
}

impl<'a> Bridge<'a> {
    fn new(kafka: &'a Kafka, partitions: i32) -> Result<Self, Failure> {
        let topic = topic();
        kafka.create_topic(&topic, partitions, &[])?;
        Ok(Self { kafka, sink: Sink::start()?, topic, bootstrap: kafka.plaintext() })
    }

    /// The name of the group.
    fn group(&self) -> String {
        group(&self.topic)
    }

    fn launch(&self, settings: &[(&str, &str)]) -> Result<Process, Failure> {
        launch(&self.bootstrap, &self.topic, &self.sink, settings)
    }

    /// One that reads some partition.
    fn start(&self, settings: &[(&str, &str)]) -> Result<Process, Failure> {
        let mut process = self.launch(settings)?;
        process.wait_for_line("reading a partition")?;
        Ok(process)
    }

    fn produce(&self, records: &[Record]) -> Outcome {
        self.kafka.produce(&self.topic, records)
    }

    /// Waits until the group has these positions, one for each partition.
    fn committed(&self, expected: &[i64]) -> Outcome {
        let found = || self.kafka.committed(&self.group(), &self.topic);
        let all = || {
            found()
                .ok()
                .filter(|found| found.iter().map(|o| o.unwrap_or_default()).eq(expected.iter().copied()))
        };
        kit::eventually(&format!("the positions {expected:?}"), || all().map(drop))
            .map_err(|error| format!("{error}; there are {:?}", found()))
    }
}

fn group(topic: &str) -> String {
    format!("group-of-{topic}")
}

/// Starts the binary between a topic and a sink.
fn launch(bootstrap: &str, topic: &str, sink: &Sink, settings: &[(&str, &str)]) -> Result<Process, Failure> {
    let (group, sink) = (group(topic), sink.url("/"));
    let base = [
        ("BOOTSTRAP_SERVERS", bootstrap),
        ("TOPIC", topic),
        ("GROUP_ID", &group),
        ("START_POSITION", "earliest"),
        ("SESSION_TIMEOUT", "10s"),
        ("K_SINK", &sink),
    ];
    Process::start("kafka-source", &[], &[&base, settings].concat())
}

/// Records `first..last`, whose values are their numbers, over so many partitions by turns.
fn numbered(numbers: std::ops::Range<usize>, partitions: usize) -> Vec<Record> {
    let partition = |number: usize| i32::try_from(number % partitions).unwrap_or_default();
    numbers.map(|number| Record::new(number.to_string()).partition(partition(number))).collect()
}
