//! A consumer of a group and its thread. librdkafka tells of assignments inside a poll that must return at once, so one
//! thread polls and does nothing else that takes long but ask where to begin; records come by queues of their own, one for
//! each partition, which whoever reads drains without that thread.

mod commit;
mod context;
mod group;
mod partition;
mod probe;
mod serve;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use common::{Assignment, Error};
use rdkafka::{
    TopicPartitionList,
    config::FromClientConfigAndContext as _,
    consumer::{BaseConsumer, Consumer as _, RebalanceProtocol},
    error::KafkaResult,
    message::BorrowedMessage,
};
use tokio::sync::{mpsc::UnboundedSender, watch};

pub use self::{
    context::Context,
    group::{Group, PartitionAssignment},
    partition::Partition,
    probe::{Doubt, committed, is_position, partitions_of},
};
use crate::{Connection, Watch};

/// A member of a group, as librdkafka has it.
pub type Member = BaseConsumer<Context>;

/// What becomes of records, and where they begin.
pub trait Feed: Send + Sync + 'static {
    /// A record as the reader gets it.
    type Item: Send + 'static;

    /// Makes one. After an error nothing more of the partition is read.
    ///
    /// # Errors
    /// When nothing can be made of the record.
    fn item(&self, message: &BorrowedMessage<'_>) -> Result<Self::Item, Error>;

    /// Its bytes in memory, about.
    fn bytes(item: &Self::Item) -> usize;

    /// The offsets at which partitions begin that are assigned to this member; `begun` are those that this process has read
    /// before. Blocks. It is asked again after an error.
    ///
    /// # Errors
    /// When the brokers do not answer, or it is not known yet.
    fn begin(
        &self,
        member: &Member,
        partitions: &[i32],
        begun: &BTreeSet<i32>,
    ) -> KafkaResult<TopicPartitionList>;
}

/// What the owner is told.
pub struct Telling<F: Feed> {
    /// What becomes of the partitions: all of it, in its order.
    pub changes: UnboundedSender<Assignment<Partition<F>>>,
    /// What is wrong: only as it is now.
    pub failure: watch::Sender<Option<Error>>,
}

impl<F: Feed> Clone for Telling<F> {
    fn clone(&self) -> Self {
        Self { changes: self.changes.clone(), failure: self.failure.clone() }
    }
}

/// The consumer as its owner sees it.
pub struct Consumer<F: Feed> {
    shared: Arc<Shared<F>>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

/// What the thread and the owner both use.
struct Shared<F: Feed> {
    group: Group,
    watch: Watch,
    feed: Arc<F>,
    telling: Telling<F>,
    stop: AtomicBool,
    /// The member is to be another one.
    renew: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    member: Option<Arc<Member>>,
    /// Partitions that the owner drains, and will close.
    revoking: BTreeSet<i32>,
    /// Those of a member that is no more: they are given up already.
    stale: BTreeSet<i32>,
    /// Partitions that this process has ever begun.
    begun: BTreeSet<i32>,
}

impl State {
    /// Of these, those that are drained are given up already, whatever their owner says later.
    fn are_stale(&mut self, partitions: &[i32]) {
        for number in partitions {
            if self.revoking.remove(number) {
                self.stale.insert(*number);
            }
        }
    }
}

impl<F: Feed> Consumer<F> {
    /// Joins the group.
    ///
    /// # Errors
    /// When there can be no thread.
    pub fn start(group: Group, watch: &Watch, feed: F, telling: Telling<F>) -> Result<Self, Error> {
        let shared = Arc::new(Shared {
            group,
            watch: watch.clone(),
            feed: Arc::new(feed),
            telling,
            stop: AtomicBool::new(false),
            renew: AtomicBool::new(false),
            state: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("kafka".to_owned())
            .spawn(move || serve::always(&serving))
            .map_err(|error| Error::retryable("starting the consumer's thread").caused_by(error))?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Gives partitions up that were revoked; when none was, the process ends, and the group is left. Blocks.
    pub fn close(&self, partitions: &[i32]) {
        if !self.shared.give_up(partitions) {
            self.leave();
        }
    }

    /// Has the group be left and joined anew, soon: its partitions are lost, what comes is begun again.
    pub fn renew(&self) {
        self.shared.renew.store(true, Ordering::Release);
    }

    /// Looks whether there are more partitions now, of which the group would hear later by itself. Blocks.
    ///
    /// # Errors
    /// When no broker answers.
    pub fn refresh(&self) -> KafkaResult<()> {
        let Some(member) = self.shared.member() else { return Ok(()) };
        // What lists all topics is what the group is told of.
        member.fetch_metadata(None, crate::CALL).map(drop)
    }

    /// Leaves the group. Blocks.
    pub fn leave(&self) {
        self.shared.stop.store(true, Ordering::Release);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl<F: Feed> Shared<F> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn member(&self) -> Option<Arc<Member>> {
        self.state().member.clone()
    }

    fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Tells the owner; at the end nobody hears it.
    fn tell(&self, change: Assignment<Partition<F>>) {
        let _ = self.telling.changes.send(change);
    }

    fn fail(&self, error: Error) {
        self.telling.failure.send_replace(Some(error));
    }

    /// All is well, if it was not.
    fn recover(&self) {
        self.watch.clear();
        self.telling.failure.send_if_modified(|failure| failure.take().is_some());
    }

    /// Gives up those of the revoked partitions that were drained; false when there is none that was revoked.
    ///
    /// All at once where the protocol knows nothing else.
    fn give_up(&self, partitions: &[i32]) -> bool {
        let mut state = self.state();
        if !partitions.is_empty() && partitions.iter().all(|number| state.stale.contains(number)) {
            state.stale.retain(|number| !partitions.contains(number));
            return true;
        }
        let Some(member) = state.member.clone().filter(|_| !state.revoking.is_empty()) else { return false };
        let done: Vec<_> = if partitions.is_empty() {
            state.revoking.iter().copied().collect()
        } else {
            partitions.iter().copied().filter(|number| state.revoking.contains(number)).collect()
        };
        if partitions.is_empty() {
            state.are_stale(&done);
        } else {
            state.revoking.retain(|number| !done.contains(number));
        }
        if !done.is_empty() {
            let list = self.list(done);
            if let Err(error) = unassign(&member, &list, state.revoking.is_empty()) {
                tracing::warn!(%error, "revoked partitions cannot be given up");
            }
        }
        true
    }

    fn list(&self, partitions: impl IntoIterator<Item = i32>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&self.group.topic, partition);
        }
        list
    }

    fn name(&self, partition: i32) -> String {
        format!("{}/{partition}", self.group.topic)
    }

    fn make(&self, strategy: PartitionAssignment) -> KafkaResult<Arc<Member>> {
        let context = Context::new(self.watch.clone());
        Ok(Arc::new(Member::from_config_and_context(&self.group.settings(strategy), context)?))
    }
}

/// Whether librdkafka takes the settings of a connection; nothing is connected.
///
/// # Errors
/// Why not.
pub fn check(connection: &Connection, client: &str) -> KafkaResult<()> {
    let mut settings = connection.client_config(client);
    // Without a group nothing has to be left when it goes.
    settings.set("enable.auto.commit", "false");
    Member::from_config_and_context(&settings, Context::default()).map(drop)
}

/// Gives partitions up, as the protocol of the group does it.
fn unassign(member: &Member, partitions: &TopicPartitionList, is_all: bool) -> KafkaResult<()> {
    match member.rebalance_protocol() {
        RebalanceProtocol::Cooperative => member.incremental_unassign(partitions),
        _ if is_all => member.unassign(),
        _ => Ok(()),
    }
}

/// How long the thread waits for the next thing that happens.
const POLL: Duration = Duration::from_millis(200);
/// How long the others may have to wait for the end of this member.
const LEAVE: Duration = Duration::from_secs(2);
