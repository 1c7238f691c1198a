//! A Kafka with a topic of some partitions. One process that is killed loses nothing: what it had written is the system's.

use std::thread;
use std::time::Duration;

use kit::Failure;
use peers::Kafka;

use super::Log;

const TOPIC: &str = "faults";
const PARTITIONS: i32 = 6;

pub struct OfKafka(Kafka);

impl Log for OfKafka {
    const ADAPTER: &'static str = "kafka-broker";
    const RESTARTED: &'static str = "its Kafka killed at random";

    fn start() -> Result<Self, Failure> {
        let kafka = Kafka::start()?;
        kafka.create_topic(TOPIC, PARTITIONS, &[])?;
        Ok(Self(kafka))
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("KAFKA_ADDRESSES", self.0.plaintext()),
            ("KAFKA_TOPIC", TOPIC.to_owned()),
            ("KAFKA_SESSION_TIMEOUT", "2s".to_owned()),
            ("KAFKA_PRODUCE_TIMEOUT", "3s".to_owned()),
        ]
    }

    fn restart(&mut self, pause: Duration) -> Result<(), Failure> {
        self.0.end();
        thread::sleep(pause);
        self.0.revive()
    }

    fn left(&self) -> Result<(u64, u64), Failure> {
        let done: i64 = self.0.committed("default.all", TOPIC)?.into_iter().flatten().sum();
        let written = self.0.records(TOPIC)?.len() as u64;
        let lag = written.checked_sub(u64::try_from(done).unwrap_or_default());
        Ok((lag.ok_or("more is done than was written")?, 0))
    }
}
