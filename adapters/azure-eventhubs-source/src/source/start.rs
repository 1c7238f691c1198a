//! Where reading begins in a partition.

use std::collections::BTreeSet;

use azure_messaging_eventhubs::{StartLocation, StartPosition, models::EventHubPartitionProperties};
use common::Error;

use super::{
    client::Reader,
    partition::Partition,
    store::{Position, Store, Version},
};
use crate::config::Start;

/// Opens partitions.
pub struct Opener {
    pub start: Start,
}

impl Opener {
    /// Where reading begins at the latest event, that place is stored before anything is read: what comes while this
    /// process is away is not passed over. The partition with the highest number comes first, so that a number above all
    /// that have a position is a partition that is new.
    pub async fn prepare(
        &self,
        partitions: &BTreeSet<String>,
        reader: &Reader,
        store: &Store,
    ) -> Result<(), Error> {
        if self.start != Start::Latest {
            return Ok(());
        }
        let positioned: BTreeSet<_> = store.positioned().await?.into_iter().collect();
        let highest = highest(&positioned);
        let mut missing: Vec<_> =
            partitions.iter().filter(|id| !positioned.contains(*id) && !is_new(id, highest)).collect();
        missing.sort_by_key(|id| std::cmp::Reverse(number(id)));
        for id in missing {
            let ends = reader.ends(id).await?;
            // Whoever was quicker has stored as good a place.
            store.set_position(id, &latest(&ends), None).await?;
        }
        Ok(())
    }

    /// Opens a partition at its stored position, or where it has none, where the settings say.
    pub async fn open(
        &self,
        id: &str,
        partitions: &BTreeSet<String>,
        reader: &Reader,
        store: &Store,
    ) -> Result<Partition, Error> {
        let stored = store.position(id).await?;
        let ends = reader.ends(id).await?;
        let (location, version) = match stored {
            Some((position, version)) => (resume(id, &position, &ends), Some(version)),
            None => {
                let positioned: BTreeSet<_> = store.positioned().await?.into_iter().collect();
                let is_new = is_new(id, highest(&positioned)) && partitions.len() > 1;
                (self.begin(is_new, &ends), None::<Version>)
            }
        };
        let inclusive = matches!(location, StartLocation::EnqueuedTime(_));
        Ok(Partition::new(id.to_owned(), StartPosition { location, inclusive }, version))
    }

    fn begin(&self, is_new: bool, ends: &EventHubPartitionProperties) -> StartLocation {
        match self.start {
            Start::Earliest => StartLocation::Earliest,
            _ if is_new => StartLocation::Earliest,
            Start::Latest => behind(latest(ends).sequence),
            Start::At(moment) => StartLocation::EnqueuedTime(moment.into()),
        }
    }
}

/// Behind a stored position, as far as the partition still has what comes there.
fn resume(id: &str, position: &Position, ends: &EventHubPartitionProperties) -> StartLocation {
    if position.sequence > ends.last_enqueued_sequence_number {
        tracing::error!(
            partition = id,
            position = position.sequence,
            end = ends.last_enqueued_sequence_number,
            "the stored position lies behind the end of the partition: the event hub was made anew, and is read from its beginning"
        );
        return StartLocation::Earliest;
    }
    if !ends.is_empty && position.sequence + 1 < ends.beginning_sequence_number {
        tracing::error!(
            partition = id,
            position = position.sequence,
            beginning = ends.beginning_sequence_number,
            "the retention of the event hub has removed events that were not read yet"
        );
    }
    behind(position.sequence)
}

fn behind(sequence: i64) -> StartLocation {
    if sequence < 0 { StartLocation::Earliest } else { StartLocation::SequenceNumber(sequence) }
}

/// The place of the last event there is.
fn latest(ends: &EventHubPartitionProperties) -> Position {
    let sequence = ends.last_enqueued_sequence_number.max(-1);
    let offset = if sequence < 0 { "-1".to_owned() } else { ends.last_enqueued_offset.clone() };
    Position { sequence, offset }
}

/// Ids of partitions are numbers; one that is none comes before all.
fn number(id: &str) -> Option<u64> {
    id.parse().ok()
}

fn highest(positioned: &BTreeSet<String>) -> Option<u64> {
    positioned.iter().filter_map(|id| number(id)).max()
}

/// Whether a partition was added after others were read.
fn is_new(id: &str, highest: Option<u64>) -> bool {
    number(id).zip(highest).is_some_and(|(number, highest)| number > highest)
}
