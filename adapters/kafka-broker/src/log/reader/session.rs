//! A member of a trigger's group, from joining to leaving.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use broker::log::{Batch, Incoming};
use common::{Assignment, Error, worker};
use kafka::consumer::{Consumer, Group, Partition, Telling};
use tokio::{
    sync::{Notify, mpsc, watch},
    task::AbortHandle,
    time::timeout,
};

use super::{
    End, Found, Reader,
    begin::Records,
    lane::{Lane, Position},
    reached::Reached,
};

/// How long a read waits for the first record.
const WAIT: Duration = Duration::from_secs(2);
/// How long a revoked partition may take for what is in work.
const DRAIN: Duration = Duration::from_secs(20);
/// Between two commits: each covers all that was done meanwhile.
const PACE: Duration = Duration::from_millis(100);

/// A member of the group.
pub struct Session {
    pub group: Group,
    consumer: Arc<Consumer<Records>>,
    lanes: Mutex<BTreeMap<i32, Arc<Lane>>>,
    end: Option<End>,
    found: Arc<Found>,
    reached: Arc<Reached>,
    /// The partitions that the group was told of.
    partitions: AtomicUsize,
    /// Which lane is asked first; another each time.
    first: AtomicUsize,
    /// There are records, or there is room for them.
    filled: Arc<Notify>,
    failure: tokio::sync::Mutex<watch::Receiver<Option<Error>>>,
    committed: Mutex<Option<Instant>>,
    following: Mutex<Option<AbortHandle>>,
}

impl Session {
    /// Joins.
    pub fn begin(reader: &Reader) -> Result<Arc<Self>, Error> {
        let filled = Arc::<Notify>::default();
        let group = reader.found.group(&reader.trigger, &filled);
        let (changes, told) = mpsc::unbounded_channel();
        let (fail, failure) = watch::channel(None);
        let records = Records {
            topic: group.topic.clone(),
            group: group.id.clone(),
            start: reader.start,
            reached: Arc::clone(&reader.reached),
        };
        let telling = Telling { changes, failure: fail };
        let consumer = Consumer::start(group.clone(), &reader.watch, records, telling)?;
        let session = Arc::new(Self {
            group,
            consumer: Arc::new(consumer),
            lanes: Mutex::default(),
            end: reader.end,
            found: Arc::clone(&reader.found),
            reached: Arc::clone(&reader.reached),
            partitions: AtomicUsize::new(reader.found.partitions()),
            first: AtomicUsize::new(0),
            filled,
            failure: tokio::sync::Mutex::new(failure),
            committed: Mutex::default(),
            following: Mutex::default(),
        });
        let following = worker::spawn(Arc::clone(&session).follow(told));
        *lock(&session.following) = Some(following.abort_handle());
        Ok(session)
    }

    fn lanes(&self) -> MutexGuard<'_, BTreeMap<i32, Arc<Lane>>> {
        lock(&self.lanes)
    }

    /// Takes up what the group decides about partitions, for as long as it is polled.
    async fn follow(self: Arc<Self>, mut told: mpsc::UnboundedReceiver<Assignment<Partition<Records>>>) {
        while let Some(change) = told.recv().await {
            match change {
                Assignment::Assigned(partitions) => self.assigned(partitions),
                Assignment::Revoked(names) => {
                    let (lanes, numbers) = (self.remove(&names), numbers(&names));
                    numbers.iter().for_each(|number| self.reached.forget(*number));
                    worker::spawn(Arc::clone(&self).drain(lanes, numbers));
                }
                Assignment::Lost(names) => self.remove(&names).iter().for_each(|lane| lane.go()),
            }
        }
    }

    fn assigned(&self, partitions: Vec<(String, Partition<Records>)>) {
        let is_alone = self.found.partitions() == 1;
        let mut lanes = self.lanes();
        for (_, partition) in partitions {
            let number = partition.number;
            if let Some(old) = lanes.insert(number, Lane::new(partition, self.end, is_alone, &self.reached)) {
                old.go();
            }
        }
        drop(lanes);
        self.filled.notify_one();
    }

    /// Takes lanes out, so that nothing more is read of them.
    fn remove(&self, names: &[String]) -> Vec<Arc<Lane>> {
        let mut lanes = self.lanes();
        numbers(names).iter().filter_map(|number| lanes.remove(number)).collect()
    }

    /// Waits until what was given of partitions is done, then gives them up.
    async fn drain(self: Arc<Self>, lanes: Vec<Arc<Lane>>, numbers: Vec<i32>) {
        let done = async {
            for lane in &lanes {
                lane.window.until(|count, _| count == 0).await;
            }
        };
        if timeout(DRAIN, done).await.is_err() {
            tracing::warn!(
                group = self.group.id,
                "some events were not delivered before their partition went to another process, which delivers them again"
            );
        }
        lanes.iter().for_each(|lane| lane.go());
        let consumer = Arc::clone(&self.consumer);
        let closed = kafka::blocking(move || {
            consumer.close(&numbers);
            Ok(())
        });
        if let Err(error) = closed.await {
            tracing::warn!(reason = error.chain(), "partitions were not given up");
        }
    }

    /// Reads at most so many records; so many may be in hand, all partitions together.
    pub async fn read(&self, most: usize, in_hand: usize) -> Result<Batch<Position>, Error> {
        let mut failure = self.failure.lock().await;
        loop {
            let batch = self.take(most, in_hand)?;
            if !batch.entries.is_empty() || batch.ended {
                return Ok(batch);
            }
            tokio::select! {
                () = self.filled.notified() => {}
                changed = failure.changed() => {
                    if let Some(error) = changed.ok().and_then(|()| failure.borrow_and_update().clone()) {
                        return Err(error);
                    }
                }
                () = worker::sleep(WAIT) => return Ok(batch),
            }
        }
    }

    fn take(&self, most: usize, in_hand: usize) -> Result<Batch<Position>, Error> {
        let lanes: Vec<_> = self.lanes().values().cloned().collect();
        if lanes.is_empty() {
            return Ok(Batch::default());
        }
        let mut entries: Vec<Incoming<Position>> = Vec::new();
        let share = (in_hand / lanes.len()).max(1);
        let first = self.first.fetch_add(1, Relaxed) % lanes.len();
        let (later, sooner) = lanes.split_at(first);
        for lane in sooner.iter().chain(later) {
            let room = most.saturating_sub(entries.len());
            match lane.take((room, share), &self.found.ends, &mut entries) {
                Err(error) if entries.is_empty() => return Err(error),
                // What comes under this name is another topic: it is begun as one.
                Ok(false) => self.renew(),
                Ok(true) | Err(_) => {}
            }
        }
        let ended = lanes.len() == self.found.partitions() && lanes.iter().all(|lane| lane.is_ended());
        Ok(Batch { entries, ended })
    }

    /// Stores how far the partitions are done without a gap.
    pub async fn acknowledge(&self, positions: &[Position]) -> Result<(), Error> {
        let mut lanes: BTreeMap<i32, Arc<Lane>> = BTreeMap::new();
        for Position { lane, number, .. } in positions {
            if !lane.is_gone() {
                lane.window.deliver(*number);
                lanes.entry(lane.partition.number).or_insert_with(|| Arc::clone(lane));
            }
        }
        self.keep_pace().await;
        let progress: Vec<_> = lanes
            .values()
            .filter(|lane| !lane.is_gone())
            .filter_map(|lane| Some((lane, lane.window.progress()?)))
            .collect();
        if progress.is_empty() {
            return Ok(());
        }
        self.consumer
            .commit(progress.iter().map(|(lane, progress)| (lane.partition.number, progress.position)))
            .await?;
        for (lane, progress) in &progress {
            lane.window.store(progress);
            lane.is_done_to(progress.position + 1);
        }
        self.filled.notify_one();
        Ok(())
    }

    /// The partitions that it has, how far each is done, and how many records are in hand.
    pub fn progress(&self) -> Vec<(i32, Option<i64>, usize)> {
        let lanes = self.lanes();
        lanes.iter().map(|(number, lane)| (*number, lane.done(), lane.window.size().0)).collect()
    }

    /// The topic is gone, or was: what comes is begun anew.
    pub fn renew(&self) {
        std::mem::take(&mut *self.lanes()).values().for_each(|lane| lane.go());
        self.consumer.renew();
    }

    /// Has the group look for partitions that it does not know of.
    pub async fn find_partitions(&self) {
        let count = self.found.partitions();
        if self.partitions.swap(count, Relaxed) == count {
            return;
        }
        let consumer = Arc::clone(&self.consumer);
        let refreshed = kafka::blocking(move || {
            consumer.refresh().map_err(|error| Error::retryable("looking for partitions").caused_by(error))
        });
        if let Err(error) = refreshed.await {
            tracing::debug!(reason = error.chain(), "the group hears of new partitions later");
        }
    }

    /// Waits until the last commit is long enough ago.
    async fn keep_pace(&self) {
        let last = *lock(&self.committed);
        if let Some(rest) = last.and_then(|last| PACE.checked_sub(last.elapsed())) {
            worker::sleep(rest).await;
        }
        *lock(&self.committed) = Some(Instant::now());
    }

    /// Leaves.
    pub async fn leave(self: Arc<Self>) {
        if let Some(following) = lock(&self.following).take() {
            following.abort();
        }
        std::mem::take(&mut *self.lanes()).values().for_each(|lane| lane.go());
        let consumer = Arc::clone(&self.consumer);
        let left = kafka::blocking(move || {
            consumer.leave();
            Ok(())
        });
        if let Err(error) = left.await {
            tracing::warn!(reason = error.chain(), "the consumer group was not left");
        }
    }
}

/// The numbers with which the names of partitions end.
fn numbers(names: &[String]) -> Vec<i32> {
    names.iter().filter_map(|name| name.rsplit('/').next()?.parse().ok()).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
