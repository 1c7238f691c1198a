//! A source that reads a log in partitions and keeps a position in each (Kafka, Kinesis, Event Hubs, change streams).

use std::{
    fmt::{Debug, Display},
    future::Future,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;

use crate::{Adapter, Error, Event, checkpoint::Checkpoints};

/// A log of which this process reads some partitions.
///
/// Each partition is a lane of its own that pulls when it has room, so that one whose record the sink does not take holds
/// up no other. The position moves over the highest record below which everything was delivered, and reading stops at
/// `MAX_IN_FLIGHT` records that are not yet covered by it. A revoked partition drains before it is given up.
pub trait LogSource: Adapter {
    /// A partition that is open for reading.
    type Partition: Send + Sync + 'static;
    /// A place in a partition, shown as people know it.
    type Position: Clone + Debug + Display + Send + Sync + 'static;

    /// Whether the log itself keeps no positions and `CHECKPOINT_DIR` is wanted for them.
    fn keeps_positions(&self) -> bool {
        false
    }

    /// Takes the store of `CHECKPOINT_DIR`; called once, before the first contact, where that is wanted.
    fn keep_positions(&self, store: Arc<dyn Checkpoints>) {
        drop(store);
    }

    /// Records in flight, over all partitions, when `MAX_IN_FLIGHT` is not set.
    fn in_flight(&self) -> usize {
        1000
    }

    /// Least time between two commits, unless a lane cannot go on without one: longer where each costs money.
    fn pace(&self) -> Duration {
        Duration::from_millis(100)
    }

    /// Waits for the next change of what this process reads. Called again only after the last change was taken up.
    fn assignment(&self) -> impl Future<Output = Result<Assignment<Self::Partition>, Error>> + Send;

    /// Waits for at least one record and gives at most `max`, in their order. The future may be dropped at any time, and
    /// no record may be lost by that.
    fn read(
        &self,
        partition: &Self::Partition,
        max: usize,
    ) -> impl Future<Output = Result<Vec<Record<Self::Position>>, Error>> + Send;

    /// Stores the position of the last delivered record of each partition: that and all before it are done.
    fn commit(
        &self,
        positions: &[(Arc<Self::Partition>, Self::Position)],
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Gives partitions up: they were revoked, drained and committed as far as they came, or the process ends.
    fn close(&self, partitions: Vec<Arc<Self::Partition>>) -> impl Future<Output = ()> + Send;
}

/// A change of what this process reads. Partitions go by names that are unique in the log, such as `orders/3`.
#[derive(Debug)]
pub enum Assignment<P> {
    /// To be read from now on.
    Assigned(Vec<(String, P)>),
    /// Somebody else shall read them: to be drained, then closed.
    Revoked(Vec<String>),
    /// Somebody else reads them already: to be dropped at once, without a commit.
    Lost(Vec<String>),
}

/// A record as it was read.
#[derive(Debug)]
pub struct Record<P> {
    /// Where it stands.
    pub position: P,
    /// Records with the same key keep their order under `DELIVERY_ORDER=key`; those without have none to keep.
    pub key: Option<Bytes>,
    /// What becomes of it; delivered in order, and all must be accepted. None: the position moves over it.
    pub events: Vec<Event>,
    /// Its size in memory, in bytes.
    pub bytes: usize,
}
