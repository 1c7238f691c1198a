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
    message::Message as _,
};

use super::Serving;
use crate::consumer::{Feed, Partition, context::Rebalance, unassign};

/// After which a revoked partition is given up whether the owner has closed it or not. A drain takes less.
const OVERDUE: Duration = Duration::from_secs(30);

impl<F: Feed> Serving<'_, F> {
    pub(super) fn rebalanced(&mut self, rebalance: Rebalance) {
        match rebalance {
            Rebalance::Assigned(partitions) => {
                self.pending.get_or_insert_default().extend(partitions);
            }
            Rebalance::Revoked(partitions) => self.revoke(&partitions),
            Rebalance::Lost(partitions) => self.lose(&partitions),
        }
    }

    /// Has the owner drain what it reads; what was not begun is given up at once.
    fn revoke(&mut self, partitions: &[i32]) {
        self.pending = None;
        let (drained, others): (Vec<i32>, Vec<i32>) =
            partitions.iter().partition(|number| self.reading.remove(number));
        if !others.is_empty() {
            let list = self.shared.list(others);
            if let Err(error) = unassign(self.member, &list, drained.is_empty()) {
                tracing::warn!(%error, "partitions cannot be given up");
            }
        }
        if drained.is_empty() {
            return;
        }
        self.shared.state().revoking.extend(&drained);
        self.revoked = Some(Instant::now());
        self.shared.tell(Assignment::Revoked(self.names(drained)));
    }

    fn lose(&mut self, partitions: &[i32]) {
        self.pending = None;
        let lost: Vec<_> = partitions.iter().copied().filter(|number| self.reading.remove(number)).collect();
        self.shared.state().are_stale(partitions);
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

    fn assign(&mut self, partitions: &[i32]) -> Result<Vec<(String, Partition<F>)>, KafkaError> {
        let before = self.shared.state().begun.clone();
        let offsets = self.shared.feed.begin(self.member, partitions, &before)?;
        {
            let mut state = self.shared.state();
            state.begun.extend(partitions);
            state.stale.retain(|number| !partitions.contains(number));
        }
        match self.member.rebalance_protocol() {
            RebalanceProtocol::Cooperative => self.member.incremental_assign(&offsets)?,
            _ => self.member.assign(&offsets)?,
        }
        self.drop_queues(partitions);
        // Before the first fetch can have come back; what did all the same is in the client's own queue, before all that
        // will be in the partition's.
        let mut begun: BTreeMap<i32, Partition<F>> = BTreeMap::new();
        for number in partitions {
            let Some(partition) = Partition::split(self.shared, self.member, *number) else {
                return Err(KafkaError::Subscription(format!("partition {number} has no queue")));
            };
            self.queues.insert(*number, partition.slot());
            begun.insert(*number, partition);
        }
        while let Some(polled) = self.member.poll(Duration::ZERO) {
            if let Ok(message) = polled
                && let Some(partition) = begun.get(&message.partition())
            {
                partition.put_early(&message);
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

    /// Gives up what the owner should have closed by now.
    pub(super) fn overdue(&mut self) {
        if self.revoked.is_some_and(|since| since.elapsed() > OVERDUE) {
            self.revoked = None;
            self.shared.give_up(&[]);
        }
    }
}
