//! The settings of the Kafka source; those of the connection are shared with the target.

use common::config::{Config, Duration, Flag, Problems};
use kafka::{
    Connection,
    consumer::{Group, PartitionAssignment},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The environment; the comments are the user's manual.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct KafkaConfig {
    /// How to connect.
    #[serde(flatten)]
    pub connection: Connection,
    /// Topic that is read.
    pub topic: String,
    /// Consumer group. Its members share the partitions, and it keeps the positions.
    pub group_id: String,
    /// Where a group begins that has no position yet: at the `latest` records, so that older ones are left out, or at the
    /// `earliest`. That place is stored at once. Partitions that the topic gets later are read from their beginning.
    #[serde(default)]
    pub start_position: StartPosition,
    /// What the `id` of an event is: the `position` of the record, `<topic>/<partition>/<offset>`, or its `key`, as in the
    /// original, where it has one. Records with the same key are then one event to whoever drops duplicates.
    #[serde(default)]
    pub event_id: EventId,
    /// `datacontenttype` of a record that has no header `content-type`.
    #[serde(default = "json")]
    pub content_type: String,
    /// Whether a record that holds a CloudEvent by the binding for Kafka, binary or structured, becomes that event.
    #[serde(default)]
    pub decode_cloudevents: Flag,
    /// Whether headers of a record become extensions: `kafkaheader` and the name, without what no such name can hold.
    #[serde(default)]
    pub header_extensions: Flag,
    /// Time after which a member that is not heard of loses its partitions.
    #[serde(default = "ten_seconds")]
    pub session_timeout: Duration,
    /// How the members share the partitions. `cooperative-sticky` leaves those where they are that need not move. Where the
    /// group has members of the original image, `range` is used without being asked for.
    #[serde(default)]
    pub partition_assignment: PartitionAssignment,
}

/// Where a group begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StartPosition {
    /// With what is written from now on.
    #[default]
    Latest,
    /// With all there is.
    Earliest,
}

/// What is the id of an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EventId {
    /// Topic, partition and offset.
    #[default]
    Position,
    /// The key, else the position.
    Key,
}

impl Config for KafkaConfig {
    fn validate(&self, problems: &mut Problems) {
        self.connection.validate(problems);
        if !kafka::is_topic(&self.topic) {
            problems.add("TOPIC", "must be a name of letters, digits, '.', '_' and '-', at most 249 of them");
        }
        if !(1000..=3_600_000).contains(&self.session_timeout.as_millis()) {
            problems.add("SESSION_TIMEOUT", "must be from 1s to 1h");
        }
        let event = common::Event::new("id", "source", "type");
        if event.and_then(|mut event| event.set("datacontenttype", self.content_type.as_str())).is_err() {
            problems.add("CONTENT_TYPE", "must be a media type");
        }
    }
}

impl KafkaConfig {
    /// The group, of a topic with so many partitions.
    pub fn group(&self, partitions: usize) -> Group {
        Group {
            connection: self.connection.clone(),
            client: env!("CARGO_PKG_NAME"),
            topic: self.topic.clone(),
            id: self.group_id.clone(),
            session: *self.session_timeout,
            assignment: self.partition_assignment,
            partitions,
            filled: None,
        }
    }
}

fn json() -> String {
    "application/json".to_owned()
}

fn ten_seconds() -> Duration {
    Duration::seconds(10)
}
