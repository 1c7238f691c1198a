//! What the broker says of the topic: how many records it has, and how many of them the triggers have not done with, those of
//! partitions that this process reads.

use std::{collections::BTreeMap, sync::Arc};

use common::{
    Error,
    metrics::{Gauges, gauges},
};
use kafka::{CALL, Watch, producer::Client};
use rdkafka::producer::Producer as _;

use super::{ends::Range, reader::Reader};

/// The metrics.
#[derive(Debug)]
pub struct Lag {
    length: Gauges,
    lag: Gauges,
    held: Gauges,
}

impl Lag {
    pub fn new(broker: &str) -> Self {
        let family =
            |name: &str, help: &str, labels: &[&str]| gauges(name, help, labels, &[("broker_name", broker)]);
        let of_trigger = ["trigger_name"];
        Self {
            length: family("broker_log_length", "Records of the topic, near enough", &[]),
            lag: family(
                "broker_log_lag",
                "Records that are not done with, of partitions read here",
                &of_trigger,
            ),
            held: family(
                "broker_log_pending",
                "Records that were read and that no stored position covers",
                &of_trigger,
            ),
        }
    }

    /// Tells what the readers have done of the topic, which goes from there to there.
    pub fn tell(&self, ends: &BTreeMap<i32, Range>, readers: &[Arc<Reader>]) {
        self.length.with(&[]).set(ends.values().map(|(low, high)| high - low).sum());
        for reader in readers {
            let (mut lag, mut held) = (0, 0);
            for (partition, done, in_hand) in reader.progress() {
                held += i64::try_from(in_hand).unwrap_or(i64::MAX);
                if let (Some(done), Some((_, high))) = (done, ends.get(&partition)) {
                    lag += (high - done).max(0);
                }
            }
            self.lag.with(&[reader.trigger()]).set(lag);
            self.held.with(&[reader.trigger()]).set(held);
        }
    }
}

/// Where the partitions begin and end.
pub async fn look(
    producer: Arc<Client>,
    topic: &str,
    partitions: usize,
    watch: &Watch,
) -> Result<BTreeMap<i32, Range>, Error> {
    let (topic, watch) = (topic.to_owned(), watch.clone());
    kafka::blocking(move || {
        let numbers = 0..i32::try_from(partitions).unwrap_or(i32::MAX);
        let ask =
            |number| producer.client().fetch_watermarks(&topic, number, CALL).map(|ends| (number, ends));
        let asked: Result<BTreeMap<_, _>, _> = numbers.map(ask).collect();
        asked.map_err(|error| kafka::error("looking at TOPIC", error, &watch))
    })
    .await
}
