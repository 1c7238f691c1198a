//! `kafka-source` on Apache Kafka: one topic for each trial on a broker that all share, and a broker of its own for the trial
//! in which that goes away.

use std::ops::Range;
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use kit::{Captured, Failure, PATIENCE, within};
use libtest_mimic::Trial;
use peers::{Kafka, Record};

use super::{IN_FLIGHT, KEYS, MESSAGES, Scene, Subject, Upstream};
use crate::flaky::Flaky;

const ADAPTER: &str = "kafka-source";
const PARTITIONS: usize = KEYS;
const RESTARTS: usize = 3;

pub fn subject() -> Subject {
    Subject {
        name: ADAPTER,
        adapter: ADAPTER,
        ordered: true,
        // A position covers all before it, so there is no batch of acknowledgements beside it.
        for_each_kill: IN_FLIGHT,
        for_each_theft: 0,
        past: Duration::from_secs(6),
        start: || Ok(Box::new(Topic::new(Kafka::shared()?)?)),
    }
}

/// The trial in which the broker is killed and started again.
pub fn restarted(seed: u64) -> Trial {
    Trial::test("kafka-source loses nothing: its broker restarted", move || Ok(restart(seed)?))
}

fn restart(seed: u64) -> Result<(), Failure> {
    let mut random = Rng::with_seed(seed);
    let broker = Arc::new(RwLock::new(Kafka::start()?));
    let topic = Topic::new(Arc::clone(&broker))?;
    topic.feed(0..MESSAGES / 2)?;
    let scene = Scene {
        subject: subject(),
        fate: "its broker restarted",
        upstream: Box::new(topic),
        sink: Flaky::start(seed)?,
        seed,
    };
    let process = scene.process()?;
    for restart in 0..RESTARTS {
        let goal = (restart + 1) * MESSAGES / (2 * RESTARTS + 2);
        within(PATIENCE * 2, "progress before a restart", || (scene.sink.count() >= goal).then_some(()))
            .map_err(|failure| format!("{failure}\n{}", process.output()))?;
        thread::sleep(Duration::from_micros(random.u64(..200_000)));
        broker.write().map_err(|error| error.to_string())?.restart()?;
    }
    scene.upstream.feed(MESSAGES / 2..MESSAGES)?;
    scene.finish(vec![process], MESSAGES, RESTARTS)
}

/// A broker, however it is held.
trait Broker {
    fn ask<T>(&self, ask: impl FnOnce(&Kafka) -> Result<T, Failure>) -> Result<T, Failure>;
}

impl Broker for Arc<Kafka> {
    fn ask<T>(&self, ask: impl FnOnce(&Kafka) -> Result<T, Failure>) -> Result<T, Failure> {
        ask(self)
    }
}

impl Broker for Arc<RwLock<Kafka>> {
    fn ask<T>(&self, ask: impl FnOnce(&Kafka) -> Result<T, Failure>) -> Result<T, Failure> {
        ask(&*self.read().map_err(|error| error.to_string())?)
    }
}

struct Topic<B> {
    broker: B,
    name: String,
    address: String,
}

impl<B: Broker> Topic<B> {
    fn new(broker: B) -> Result<Self, Failure> {
        let name = format!("faults-{}", fastrand::u32(..));
        let address = broker.ask(|kafka| {
            kafka.create_topic(&name, PARTITIONS as i32, &[])?;
            Ok(kafka.plaintext())
        })?;
        Ok(Self { broker, name, address })
    }

    fn group(&self) -> String {
        format!("group-of-{}", self.name)
    }
}

impl<B: Broker> Upstream for Topic<B> {
    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("BOOTSTRAP_SERVERS", self.address.clone()),
            ("TOPIC", self.name.clone()),
            ("GROUP_ID", self.group()),
            ("START_POSITION", "earliest".to_owned()),
            ("SESSION_TIMEOUT", "3s".to_owned()),
        ]
    }

    fn feed(&self, numbers: Range<usize>) -> Result<(), Failure> {
        let records: Vec<_> = numbers
            .map(|number| {
                let key = number % KEYS;
                Record::new(number.to_string()).key(key.to_string()).partition(key as i32)
            })
            .collect();
        self.broker.ask(|kafka| kafka.produce(&self.name, &records))
    }

    fn number(&self, request: &Captured) -> Result<usize, Failure> {
        request.text().parse().map_err(|error| format!("{error}: {request:?}"))
    }

    fn left(&self) -> Result<usize, Failure> {
        self.broker.ask(|kafka| {
            let stored: i64 = kafka.committed(&self.group(), &self.name)?.into_iter().flatten().sum();
            let written = kafka.records(&self.name)?.len();
            written
                .checked_sub(usize::try_from(stored).unwrap_or_default())
                .ok_or_else(|| "stored too far".to_owned())
        })
    }
}
