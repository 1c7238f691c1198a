//! What the thread does with partitions: it begins those that are assigned, has those drained that are revoked, and drops
//! those that are lost.

use std::{
    collections::BTreeMap,
    sync::PoisonError,
    time::{Duration, Instant},
};

use common::Assignment;
use rdkafka::{
    consumer::{Consumer as _, RebalanceProtocol},
    error::KafkaError,
    message::{BorrowedMessage, Message as _},
};

use super::Serving;
use crate::consumer::{Partition, context::Rebalance, partition::record, unassign};

/// After which a revoked partition is given up whether the frame has closed it or not. A drain takes less.
const OVERDUE: Duration = Duration::from_secs(30);

impl Serving<'_> {
    pub(super) fn rebalanced(&mut self, rebalance: Rebalance) {
        match rebalance {
            Rebalance::Assigned(partitions) => {
                self.pending.get_or_insert_default().extend(partitions);
            }
            Rebalance::Revoked(partitions) => self.revoke(&partitions),
            Rebalance::Lost(partitions) => self.lose(&partitions),
        }
    }

    /// Has the frame drain what it reads; what was not begun is given up at once.
    fn revoke(&mut self, partitions: &[i32]) {
        self.pending = None;
        let drained: Vec<_> =
            partitions.iter().copied().filter(|number| self.reading.remove(number)).collect();
        let mut state = self.shared.state();
        if drained.is_empty() {
            let list = self.shared.list(partitions.iter().copied());
            if let Err(error) = unassign(self.client, &list, true) {
                tracing::warn!(%error, "partitions cannot be given up");
            }
            return;
        }
        state.revoking.extend(partitions);
        drop(state);
        self.revoked = Some(Instant::now());
        self.shared.tell(Assignment::Revoked(self.names(drained)));
    }

    fn lose(&mut self, partitions: &[i32]) {
        self.pending = None;
        let lost: Vec<_> = partitions.iter().copied().filter(|number| self.reading.remove(number)).collect();
        let mut state = self.shared.state();
        state.revoking.retain(|number| !partitions.contains(number));
        drop(state);
        if !lost.is_empty() {
            self.shared.tell(Assignment::Lost(self.names(lost)));
        }
    }

    pub(super) fn names(&self, partitions: Vec<i32>) -> Vec<String> {
        partitions.into_iter().map(|number| self.shared.name(number)).collect()
    }

    /// Begins what was assigned, once it is known where.
    pub(super) fn begin(&mut self) {
        let Some(partitions) = self.pending.take() else { return };
        if self.probe.is_some_and(|at| at > Instant::now()) {
            self.pending = Some(partitions);
            return;
        }
        match self.assign(&partitions) {
            Ok(begun) => {
                self.reading.extend(&partitions);
                self.shared.tell(Assignment::Assigned(begun));
            }
            Err(error) => {
                tracing::debug!(%error, "partitions cannot be begun yet");
                self.pending = Some(partitions);
                self.probe.get_or_insert_with(Instant::now);
            }
        }
    }

    fn assign(&mut self, partitions: &[i32]) -> Result<Vec<(String, Partition)>, KafkaError> {
        let topic = &self.shared.config.topic;
        let before = self.shared.state().begun.clone();
        let offsets = self.shared.start.offsets(self.client, topic, partitions, &before)?;
        self.shared.state().begun.extend(partitions);
        match self.client.rebalance_protocol() {
            RebalanceProtocol::Cooperative => self.client.incremental_assign(&offsets)?,
            _ => self.client.assign(&offsets)?,
        }
        self.drop_queues(partitions);
        // Before the first fetch can have come back; what did all the same is in the client's own queue, before all that
        // will be in the partition's.
        let mut begun: BTreeMap<i32, Partition> = BTreeMap::new();
        for number in partitions {
            let Some(partition) = Partition::split(self.client, topic, *number) else {
                return Err(KafkaError::Subscription(format!("partition {number} has no queue")));
            };
            self.queues.insert(*number, partition.slot());
            begun.insert(*number, partition);
        }
        while let Some(polled) = self.client.poll(Duration::ZERO) {
            if let Ok(message) = polled {
                self.early(&message, &begun);
            }
        }
        Ok(begun.into_iter().map(|(number, partition)| (self.shared.name(number), partition)).collect())
    }

    /// Ends the queues that these partitions had before.
    pub(super) fn drop_queues(&mut self, partitions: &[i32]) {
        for number in partitions {
            if let Some(slot) = self.queues.remove(number) {
                slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            }
        }
    }

    fn early(&self, message: &BorrowedMessage<'_>, begun: &BTreeMap<i32, Partition>) {
        // An event can be made of every record; one that could not would be read again after the next assignment.
        if let (Some(partition), Ok(record)) =
            (begun.get(&message.partition()), record(message, &self.events))
        {
            partition.put_early(record);
        }
    }

    /// Gives up what the frame should have closed by now.
    pub(super) fn overdue(&mut self) {
        if self.revoked.is_some_and(|since| since.elapsed() > OVERDUE) {
            self.revoked = None;
            self.shared.give_up(&[]);
        }
    }
}
