//! Storing how far partitions are done.

use std::{sync::Arc, time::Duration};

use common::Error;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer as _},
    error::KafkaError,
};

use super::{Consumer, Feed};

/// How long a commit may take, as with Kafka's own client. librdkafka knows no limit for it, and may lose one whose coordinator
/// goes away.
const COMMIT: Duration = Duration::from_secs(60);

impl<F: Feed> Consumer<F> {
    /// Stores the offset of the last record of each partition that is done, and waits until the group has them.
    ///
    /// # Errors
    /// When it has not. It may have them later nevertheless.
    pub async fn commit(&self, done: impl IntoIterator<Item = (i32, i64)>) -> Result<(), Error> {
        let shared = Arc::clone(&self.shared);
        // Kafka keeps the place of the next record.
        let done: Vec<_> =
            done.into_iter().map(|(number, last)| (number, Offset::Offset(last + 1))).collect();
        let call = crate::blocking(move || {
            let commit = || {
                let mut list = TopicPartitionList::new();
                for (number, next) in done {
                    list.add_partition_offset(&shared.group.topic, number, next)?;
                }
                shared.member().ok_or(KafkaError::Canceled)?.commit(&list, CommitMode::Sync)
            };
            commit().map_err(|error| crate::error("storing the positions of GROUP_ID", error, &shared.watch))
        });
        let late = "storing the positions of GROUP_ID: no answer of the brokers in time";
        let late = |_| Error::retryable(self.shared.watch.named(late));
        tokio::time::timeout(COMMIT, call).await.map_err(late)?
    }
}
