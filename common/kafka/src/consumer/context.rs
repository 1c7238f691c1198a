//! What librdkafka calls while it is polled.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use rdkafka::{
    TopicPartitionList,
    client::ClientContext,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::KafkaError,
    types::RDKafkaRespErr,
};

use super::unassign;
use crate::Watch;

/// Takes assignments in; they are acted on after the poll.
#[derive(Debug, Default)]
pub struct Context {
    watch: Watch,
    rebalances: Mutex<Vec<Rebalance>>,
    closing: AtomicBool,
}

/// What the group decided about partitions.
#[derive(Debug)]
pub(super) enum Rebalance {
    /// To be read, once they are assigned.
    Assigned(Vec<i32>),
    /// To be given up, once they are drained.
    Revoked(Vec<i32>),
    /// Given up already: somebody else has them.
    Lost(Vec<i32>),
}

impl Context {
    /// One that remembers failures there.
    #[must_use]
    pub fn new(watch: Watch) -> Self {
        Self { watch, ..Self::default() }
    }

    /// What was decided since the last call.
    pub(super) fn take(&self) -> Vec<Rebalance> {
        std::mem::take(&mut *self.rebalances.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on partitions are given up at once: nobody reads them any more.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.watch.log(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.watch.error(error, reason);
    }
}

impl ConsumerContext for Context {
    fn rebalance(&self, client: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let partitions: Vec<i32> = list.elements().iter().map(|element| element.partition()).collect();
        let rebalance = if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            Rebalance::Assigned(partitions)
        } else if self.closing.load(Ordering::Acquire) || client.assignment_lost() {
            if let Err(error) = unassign(client, list, true) {
                tracing::warn!(%error, "partitions cannot be given up");
            }
            Rebalance::Lost(partitions)
        } else {
            Rebalance::Revoked(partitions)
        };
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner).push(rebalance);
    }
}
