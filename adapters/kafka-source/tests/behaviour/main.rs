//! What becomes of records: the real binary between a real broker and a sink.

mod events;
mod group;
mod security;

use std::{
    process::ExitCode,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use kit::{Captured, Event, Failure, Process, Sink};
use libtest_mimic::{Arguments, Trial};
use peers::{Kafka, Record};

type Outcome = Result<(), Failure>;
type Named = (&'static str, fn(&Kafka) -> Outcome);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // One broker for all of them; each has a topic and a group of its own.
    let kafka = Arc::new(OnceLock::new());
    let trials = [events::TRIALS, group::TRIALS, security::TRIALS].concat().into_iter();
    let mut trials: Vec<_> = trials
        .map(|(name, run)| {
            let kafka = Arc::clone(&kafka);
            Trial::test(name, move || match kafka.get_or_init(Kafka::start) {
                Ok(kafka) => Ok(run(kafka)?),
                Err(failure) => Err(failure.clone().into()),
            })
        })
        .collect();
    trials.push(Trial::test("a broker that goes and comes back costs nothing", || Ok(group::outage()?)));
    libtest_mimic::run(&arguments, trials).exit_code()
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
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let topic = format!("source-{}", NEXT.fetch_add(1, Ordering::SeqCst));
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

    /// So many events.
    fn events(&self, count: usize) -> Result<Vec<Event>, Failure> {
        self.sink.wait_for(count)?.iter().map(Captured::event).collect()
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
        ("SESSION_TIMEOUT", "6s"),
        ("K_SINK", &sink),
    ];
    let kept = base.iter().filter(|(name, _)| !settings.iter().any(|(known, _)| known == name));
    let all: Vec<_> =
        kept.chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Process::start("kafka-source", &[], &all)
}

/// Records `first..last`, whose values are their numbers, over so many partitions by turns.
fn numbered(numbers: std::ops::Range<usize>, partitions: usize) -> Vec<Record> {
    let partition = |number: usize| i32::try_from(number % partitions).unwrap_or_default();
    numbers.map(|number| Record::new(number.to_string()).partition(partition(number))).collect()
}
