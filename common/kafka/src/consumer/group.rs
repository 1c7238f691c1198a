//! A group as this process is a member of it, and what librdkafka is told of that.

use std::{sync::Arc, time::Duration};

use rdkafka::config::ClientConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::Connection;

/// What librdkafka may keep in its queues beyond what is in work, all partitions together, in bytes.
const PREFETCH: usize = 16 << 20;
/// Of one partition, in KiB: at least, and at most.
const SHARE: (usize, usize) = (16, 1024);

/// Which topic is read, and by whom.
#[derive(Debug, Clone)]
pub struct Group {
    /// How to connect.
    pub connection: Connection,
    /// What the brokers see in their logs and quotas.
    pub client: &'static str,
    /// The topic.
    pub topic: String,
    /// The name of the group.
    pub id: String,
    /// After which a member that is not heard of loses its partitions.
    pub session: Duration,
    /// How the members share the partitions.
    pub assignment: PartitionAssignment,
    /// How many partitions there are, about: they share the memory for what is fetched ahead.
    pub partitions: usize,
    /// Told when something has come into any partition, where one task reads them all.
    pub filled: Option<Arc<Notify>>,
}

impl Group {
    /// What every client of the group has.
    #[must_use]
    pub fn base(&self) -> ClientConfig {
        let mut settings = self.connection.client_config(self.client);
        settings.set("group.id", &self.id);
        settings
    }

    /// What librdkafka is told (<https://github.com/confluentinc/librdkafka/blob/v2.12.1/CONFIGURATION.md>).
    pub(super) fn settings(&self, strategy: PartitionAssignment) -> ClientConfig {
        let share = (PREFETCH / 1024 / 2 / self.partitions.max(1)).clamp(SHARE.0, SHARE.1);
        let session = self.session.as_millis();
        let mut settings = self.base();
        settings
            .set("partition.assignment.strategy", strategy.name())
            .set("session.timeout.ms", session.to_string())
            .set("heartbeat.interval.ms", (session / 3).clamp(1, 3000).to_string())
            // Positions are stored by the owner, when somebody has the events.
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // Where to begin is always said; this is for a place whose records the topic no longer has.
            .set("auto.offset.reset", "earliest")
            .set("isolation.level", "read_committed")
            .set("queued.min.messages", "2000")
            .set("queued.max.messages.kbytes", share.to_string())
            .set("fetch.message.max.bytes", (share * 1024).to_string())
            .set("fetch.max.bytes", (4 << 20).to_string())
            // A full queue is looked at again soon, because it is a short one.
            .set("fetch.queue.backoff.ms", "20")
            // Partitions that are added are seen soon.
            .set("topic.metadata.refresh.interval.ms", "60000");
        settings
    }
}

/// A strategy of assignment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PartitionAssignment {
    /// Cooperative.
    #[default]
    #[serde(rename = "cooperative-sticky")]
    CooperativeSticky,
    /// All stop while partitions move.
    Range,
    /// All stop while partitions move.
    RoundRobin,
}

impl PartitionAssignment {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CooperativeSticky => "cooperative-sticky",
            Self::Range => "range",
            Self::RoundRobin => "roundrobin",
        }
    }
}
