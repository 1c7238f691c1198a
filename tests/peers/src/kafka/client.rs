//! What tests do with the broker beside the adapter: topics, records, positions.

use std::time::Duration;

use kit::{Failure, PATIENCE, eventually, within};
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::Kafka;

/// How long one call to the broker may take.
const CALL: Duration = PATIENCE;

/// A record as it is written or was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Its partition; when written, `None` leaves it to the key.
    pub partition: Option<i32>,
    /// Its place in the partition; counts for nothing when written.
    pub offset: i64,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Its headers, in order.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Record {
    /// One with a value alone.
    #[must_use]
    pub fn new(value: impl Into<Vec<u8>>) -> Self {
        Self { value: Some(value.into()), ..Self::default() }
    }

    /// The same with a key.
    #[must_use]
    pub fn key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same for this partition.
    #[must_use]
    pub fn partition(mut self, partition: i32) -> Self {
        self.partition = Some(partition);
        self
    }

    /// The value of the first header of this name, as text.
    #[must_use]
    pub fn header_text(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

impl Kafka {
    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.plaintext()).set("allow.auto.create.topics", "false");
        config
    }

    /// Waits until it takes part in its own cluster.
    pub(super) fn answers(&self) -> Result<(), Failure> {
        let consumer: BaseConsumer = self.config().create().map_err(text)?;
        within(PATIENCE * 3, "Kafka's first answer", || {
            let metadata = consumer.fetch_metadata(None, Duration::from_secs(2)).ok()?;
            (!metadata.brokers().is_empty()).then_some(())
        })
    }

    /// Makes a topic, with settings such as `("cleanup.policy", "compact")`.
    ///
    /// # Errors
    /// When the broker refuses.
    pub fn create_topic(
        &self,
        name: &str,
        partitions: i32,
        settings: &[(&str, &str)],
    ) -> Result<(), Failure> {
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        for (name, value) in settings {
            topic = topic.set(name, value);
        }
        let (admin, options) = self.admin()?;
        let results = wait(admin.create_topics([&topic], &options))?;
        for result in results {
            result.map_err(|(topic, code)| format!("{topic}: {code}"))?;
        }
        // Known to the controller is not yet led by the broker.
        self.wait_for_topic(name, partitions)
    }

    /// Gives a topic these settings and no others, and waits until they are in force.
    ///
    /// # Errors
    /// When the broker refuses.
    pub fn configure_topic(&self, name: &str, settings: &[(&str, &str)]) -> Result<(), Failure> {
        let (admin, options) = self.admin()?;
        let topic = ResourceSpecifier::Topic(name);
        let wanted =
            settings.iter().fold(AlterConfig::new(topic), |wanted, (name, value)| wanted.set(name, value));
        for result in wait(admin.alter_configs([&wanted], &options))? {
            result.map_err(|(_, code)| format!("{name}: {code}"))?;
        }
        eventually(&format!("the settings of {name}"), || {
            let found = wait(admin.describe_configs([&topic], &options)).ok()?.pop()?.ok()?;
            let is_set = |(name, value): &(&str, &str)| {
                found.get(name).is_some_and(|entry| entry.value.as_deref() == Some(*value))
            };
            settings.iter().all(is_set).then_some(())
        })
    }

    /// Takes a topic away, and waits until the broker knows it no more: until then it takes records, and loses them.
    ///
    /// # Errors
    /// When the broker refuses.
    pub fn delete_topic(&self, name: &str) -> Result<(), Failure> {
        let (admin, options) = self.admin()?;
        let results = wait(admin.delete_topics(&[name], &options))?;
        for result in results {
            result.map_err(|(topic, code)| format!("{topic}: {code}"))?;
        }
        eventually(&format!("the end of {name}"), || self.partitions(name).ok()?.is_none().then_some(()))
    }

    /// Drops the records of a partition that stand before an offset, as its retention would.
    ///
    /// # Errors
    /// When the broker refuses.
    pub fn drop_records(&self, topic: &str, partition: i32, before: i64) -> Result<(), Failure> {
        let (admin, options) = self.admin()?;
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset(topic, partition, Offset::Offset(before)).map_err(text)?;
        wait(admin.delete_records(&offsets, &options)).map(drop)
    }

    /// Gives a topic more partitions.
    ///
    /// # Errors
    /// When the broker refuses.
    pub fn grow_topic(&self, name: &str, partitions: usize) -> Result<(), Failure> {
        let (admin, options) = self.admin()?;
        let more = NewPartitions::new(name, partitions);
        let results = wait(admin.create_partitions([&more], &options))?;
        for result in results {
            result.map_err(|(topic, code)| format!("{topic}: {code}"))?;
        }
        self.wait_for_topic(name, i32::try_from(partitions).map_err(text)?)
    }

    fn admin(&self) -> Result<(AdminClient<DefaultClientContext>, AdminOptions), Failure> {
        let options = AdminOptions::new().operation_timeout(Some(CALL)).request_timeout(Some(CALL));
        Ok((self.config().create().map_err(text)?, options))
    }

    /// How many partitions a topic has; `None` without the topic.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn partitions(&self, topic: &str) -> Result<Option<i32>, Failure> {
        let consumer: BaseConsumer = self.config().create().map_err(text)?;
        let metadata = consumer.fetch_metadata(Some(topic), CALL).map_err(text)?;
        let found = metadata.topics().first().filter(|topic| topic.error().is_none());
        Ok(found
            .map(|topic| topic.partitions().len())
            .and_then(|count| i32::try_from(count).ok())
            .filter(|n| *n > 0))
    }

    fn wait_for_topic(&self, name: &str, partitions: i32) -> Result<(), Failure> {
        eventually(&format!("the topic {name}"), || {
            (self.partitions(name).ok()?? >= partitions).then_some(())
        })
    }

    /// Writes records in order and waits until the broker has them.
    ///
    /// # Errors
    /// When it does not take them.
    pub fn produce(&self, topic: &str, records: &[Record]) -> Result<(), Failure> {
        let mut config = self.config();
        config.set("enable.idempotence", "true").set("linger.ms", "1").set("partitioner", "fnv1a_random");
        let producer: BaseProducer = config.create().map_err(text)?;
        for record in records {
            let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
            for (key, value) in &record.headers {
                headers = headers.insert(Header { key, value: Some(value) });
            }
            let mut base: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).headers(headers);
            base.partition = record.partition;
            (base.key, base.payload) = (record.key.as_deref(), record.value.as_deref());
            let mut queued = producer.send(base);
            while let Err((error, again)) = queued {
                if error.rdkafka_error_code() != Some(rdkafka::types::RDKafkaErrorCode::QueueFull) {
                    return Err(format!("writing to {topic}: {error}"));
                }
                producer.poll(Duration::from_millis(50));
                queued = producer.send(again);
            }
            producer.poll(Duration::ZERO);
        }
        producer.flush(PATIENCE).map_err(|error| format!("writing to {topic}: {error}"))
    }

    /// All records of a topic as they are now, partition after partition.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn records(&self, topic: &str) -> Result<Vec<Record>, Failure> {
        let mut config = self.config();
        config.set("group.id", "peer-reader").set("enable.auto.commit", "false");
        config.set("enable.partition.eof", "true").set("isolation.level", "read_committed");
        let consumer: BaseConsumer = config.create().map_err(text)?;
        let partitions = self.partitions(topic)?.ok_or_else(|| format!("there is no topic {topic}"))?;
        let mut wanted = TopicPartitionList::new();
        for partition in 0..partitions {
            wanted.add_partition_offset(topic, partition, Offset::Beginning).map_err(text)?;
        }
        consumer.assign(&wanted).map_err(text)?;
        let mut found: Vec<Vec<Record>> = vec![Vec::new(); usize::try_from(partitions).map_err(text)?];
        let mut ended = 0;
        while ended < partitions {
            match consumer.poll(CALL) {
                None => return Err(format!("no end of {topic} within {} s", CALL.as_secs())),
                Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
                Some(Err(error)) => return Err(format!("reading {topic}: {error}")),
                Some(Ok(message)) => {
                    let partition = usize::try_from(message.partition()).map_err(text)?;
                    let headers = message.headers().map(|headers| {
                        headers
                            .iter()
                            .map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec()))
                    });
                    found[partition].push(Record {
                        partition: Some(message.partition()),
                        offset: message.offset(),
                        key: message.key().map(<[u8]>::to_vec),
                        value: message.payload().map(<[u8]>::to_vec),
                        headers: headers.into_iter().flatten().collect(),
                    });
                }
            }
        }
        Ok(found.concat())
    }

    /// The position that a group has stored for each partition of a topic.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn committed(&self, group: &str, topic: &str) -> Result<Vec<Option<i64>>, Failure> {
        let consumer: BaseConsumer = self.config().set("group.id", group).create().map_err(text)?;
        let mut wanted = TopicPartitionList::new();
        for partition in 0..self.partitions(topic)?.unwrap_or_default() {
            wanted.add_partition(topic, partition);
        }
        let found = consumer.committed_offsets(wanted, CALL).map_err(text)?;
        let offset = |offset: Offset| if let Offset::Offset(offset) = offset { Some(offset) } else { None };
        Ok(found.elements().iter().map(|element| offset(element.offset())).collect())
    }
}

fn wait<T>(call: impl Future<Output = Result<T, KafkaError>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(text)?;
    runtime.block_on(call).map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
