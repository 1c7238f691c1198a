//! The consumer and its thread. librdkafka tells of assignments inside a poll that must return at once, so one thread polls
//! and does nothing else that takes long but ask where to begin; records come by queues of their own, one for each
//! partition, which their lanes drain without that thread.

mod context;
mod partition;
mod serve;
mod start;

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
use kafka::Watch;
use rdkafka::{
    TopicPartitionList,
    config::{ClientConfig, FromClientConfigAndContext as _},
    consumer::{BaseConsumer, Consumer as _, RebalanceProtocol},
    error::{KafkaError, KafkaResult},
};
use tokio::sync::{mpsc::UnboundedSender, watch};

pub use self::{context::Context, partition::Partition, start::Start};
use crate::config::{KafkaConfig, PartitionAssignment};

/// A consumer of the group.
pub type Client = BaseConsumer<Context>;

/// What the frame is told.
#[derive(Clone)]
pub struct Telling {
    /// What becomes of the partitions: all of it, in its order.
    pub changes: UnboundedSender<Assignment<Partition>>,
    /// What is wrong: only as it is now.
    pub failure: watch::Sender<Option<Error>>,
}

/// What librdkafka may keep in its queues beyond what is in work, all partitions together, in bytes.
const PREFETCH: usize = 16 << 20;
/// Of one partition, in KiB: at least, and at most.
const SHARE: (usize, usize) = (16, 1024);

/// The consumer as the adapter sees it.
pub struct Consumer {
    shared: Arc<Shared>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

/// What the thread and the adapter both use.
struct Shared {
    config: Arc<KafkaConfig>,
    watch: Watch,
    start: Start,
    telling: Telling,
    stop: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    client: Option<Arc<Client>>,
    /// Partitions that the frame drains, and will close.
    revoking: BTreeSet<i32>,
    /// Partitions that this process has ever begun.
    begun: BTreeSet<i32>,
}

impl Consumer {
    /// Joins the group.
    ///
    /// # Errors
    /// When librdkafka does not take the settings.
    pub fn start(
        config: &Arc<KafkaConfig>,
        watch: &Watch,
        start: Start,
        telling: Telling,
    ) -> Result<Self, Error> {
        let shared = Arc::new(Shared {
            config: Arc::clone(config),
            watch: watch.clone(),
            start,
            telling,
            stop: AtomicBool::new(false),
            state: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("kafka".to_owned())
            .spawn(move || serve::always(&serving))
            .map_err(|error| Error::retryable("starting the consumer's thread").caused_by(error))?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Stores positions. Blocks until the group has them.
    pub fn commit(&self, positions: &TopicPartitionList) -> KafkaResult<()> {
        let Some(client) = self.shared.client() else { return Err(KafkaError::Canceled) };
        client.commit(positions, rdkafka::consumer::CommitMode::Sync)
    }

    /// Gives partitions up that were revoked; when none was, the process ends, and the group is left.
    pub fn close(&self, partitions: &[i32]) {
        if self.shared.give_up(partitions) {
            return;
        }
        self.shared.stop.store(true, Ordering::Release);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn client(&self) -> Option<Arc<Client>> {
        self.state().client.clone()
    }

    fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Tells the frame; at the end nobody hears it.
    fn tell(&self, change: Assignment<Partition>) {
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
        let Some(client) = state.client.clone().filter(|_| !state.revoking.is_empty()) else { return false };
        let done: Vec<_> = if partitions.is_empty() {
            state.revoking.iter().copied().collect()
        } else {
            partitions.iter().copied().filter(|number| state.revoking.contains(number)).collect()
        };
        for number in &done {
            state.revoking.remove(number);
        }
        if !done.is_empty() {
            let list = self.list(done);
            if let Err(error) = unassign(&client, &list, state.revoking.is_empty()) {
                tracing::warn!(%error, "revoked partitions cannot be given up");
            }
        }
        true
    }

    fn list(&self, partitions: impl IntoIterator<Item = i32>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&self.config.topic, partition);
        }
        list
    }

    fn name(&self, partition: i32) -> String {
        format!("{}/{partition}", self.config.topic)
    }

    /// What librdkafka is told (<https://github.com/confluentinc/librdkafka/blob/v2.12.1/CONFIGURATION.md>).
    fn settings(&self, strategy: PartitionAssignment) -> ClientConfig {
        let share = (PREFETCH / 1024 / 2 / self.start.partitions().max(1)).clamp(SHARE.0, SHARE.1);
        let session = self.config.session_timeout.as_millis();
        let mut settings = base(&self.config);
        settings
            .set("partition.assignment.strategy", strategy.name())
            .set("session.timeout.ms", session.to_string())
            .set("heartbeat.interval.ms", (session / 3).clamp(1, 3000).to_string())
            // Positions are stored by the frame, when the sink has the events.
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

    fn make(&self, strategy: PartitionAssignment) -> KafkaResult<Arc<Client>> {
        let context = Context::new(self.watch.clone());
        Ok(Arc::new(Client::from_config_and_context(&self.settings(strategy), context)?))
    }
}

/// Whether librdkafka takes the settings; nothing is connected.
///
/// # Errors
/// Why not.
pub fn check(config: &KafkaConfig) -> KafkaResult<()> {
    let mut settings = config.connection.client_config(env!("CARGO_PKG_NAME"));
    // Without a group nothing has to be left when it goes.
    settings.set("enable.auto.commit", "false");
    Client::from_config_and_context(&settings, Context::default()).map(drop)
}

/// What every client of the group has.
pub fn base(config: &KafkaConfig) -> ClientConfig {
    let mut settings = config.connection.client_config(env!("CARGO_PKG_NAME"));
    settings.set("group.id", &config.group_id);
    settings
}

/// Gives partitions up, as the protocol of the group does it.
fn unassign(client: &Client, partitions: &TopicPartitionList, is_all: bool) -> KafkaResult<()> {
    match client.rebalance_protocol() {
        RebalanceProtocol::Cooperative => client.incremental_unassign(partitions),
        _ if is_all => client.unassign(),
        _ => Ok(()),
    }
}

/// How long the thread waits for the next thing that happens.
const POLL: Duration = Duration::from_millis(200);
/// How long the others may have to wait for the end of this member.
const LEAVE: Duration = Duration::from_secs(2);
