//! Log sources: a lane for each partition, positions stored together.

mod commits;
mod lane;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use self::lane::Lane;
use super::{Frame, Shape, queue::IN_FLIGHT_BYTES};
use crate::{
    adapter::{Assignment, LogSource},
    error::Error,
    frame::DeliveryOrder,
    health::Health,
    metrics::FrameMetrics,
    send::{Backoff, Sink},
    server::no_events,
    stop::{DRAIN, Stop},
    worker,
};

/// Kept of the time for a drain, for the last commit and to give the partitions up.
const HAND_BACK: Duration = Duration::from_secs(3);

/// The longest pause after a failure to learn what to read.
const ASSIGNMENT_PAUSE: Duration = Duration::from_secs(5);

/// The `main` of a log source.
#[must_use]
pub fn log_source<L: LogSource>() -> ExitCode {
    super::run(Shape::<L> {
        name: "log-source",
        needs_sink: true,
        serves: false,
        keeps_positions: L::keeps_positions,
        prepare: |frame, adapter| {
            if let Some(positions) = &frame.positions {
                adapter.keep_positions(Arc::clone(positions));
            }
        },
        events: |_, _| no_events(),
        work: |frame, adapter, stop| Box::pin(work(frame, adapter, stop)),
    })
}

/// All that lanes and commits share.
struct Log<L: LogSource> {
    adapter: Arc<L>,
    sink: Arc<Sink>,
    health: Arc<Health>,
    metrics: Arc<FrameMetrics>,
    order: DeliveryOrder,
    parallelism: usize,
    retry_after_max: Duration,
    /// Records and bytes in flight over all lanes.
    most: (usize, usize),
    stop: Stop,
    lanes: Mutex<BTreeMap<String, Arc<Lane<L>>>>,
    count: AtomicUsize,
    /// Some lane has come further.
    progressed: Notify,
    /// Some lane needs a commit to go on.
    pressed: Notify,
    /// One commit at a time, so that none goes back behind another.
    committing: tokio::sync::Mutex<()>,
}

async fn work<L: LogSource>(frame: Arc<Frame>, adapter: Arc<L>, stop: Stop) -> Result<(), Error> {
    let Some(log) = Log::new(&frame, adapter, stop) else {
        return Err(Error::permanent("there is no sink"));
    };
    let committing = worker::spawn(Arc::clone(&log).commit_always());
    let result = Arc::clone(&log).run().await;
    committing.abort();
    result
}

impl<L: LogSource> Log<L> {
    fn new(frame: &Frame, adapter: Arc<L>, stop: Stop) -> Option<Arc<Self>> {
        let config = &frame.config;
        let most = config.max_in_flight.unwrap_or_else(|| adapter.in_flight()).max(1);
        Some(Arc::new(Self {
            adapter,
            sink: frame.sink.clone()?,
            health: Arc::clone(&frame.health),
            metrics: Arc::clone(&frame.metrics),
            order: config.delivery_order,
            parallelism: config.delivery_parallelism,
            retry_after_max: *config.retry_after_max,
            most: (most, config.in_flight_bytes(IN_FLIGHT_BYTES)),
            stop,
            lanes: Mutex::default(),
            count: AtomicUsize::new(0),
            progressed: Notify::new(),
            pressed: Notify::new(),
            committing: tokio::sync::Mutex::default(),
        }))
    }

    fn lanes(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Lane<L>>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What one lane may have in flight: records and bytes.
    fn share(&self) -> (usize, usize) {
        let lanes = self.count.load(Ordering::Relaxed).max(1);
        ((self.most.0 / lanes).max(1), (self.most.1 / lanes).max(1))
    }

    /// How many records all lanes together may still take. Less than a lane's share while others have more than theirs, because
    /// theirs became smaller.
    fn left(&self) -> usize {
        let taken: usize = self.lanes().values().map(|lane| lane.window.size().0).sum();
        self.most.0.saturating_sub(taken)
    }

    /// Takes up assignments until the process is asked to stop, then drains.
    async fn run(self: Arc<Self>) -> Result<(), Error> {
        let mut backoff = Backoff::default();
        loop {
            let assignment = tokio::select! {
                assignment = self.adapter.assignment() => assignment,
                () = self.stop.requested() => break,
            };
            match assignment {
                Ok(change) => {
                    // What is taken away says nothing about the health of the log.
                    if matches!(change, Assignment::Assigned(_)) {
                        self.health.upstream().succeeded();
                    }
                    backoff = Backoff::default();
                    self.take_up(change);
                }
                Err(error) => {
                    self.health.upstream().failed();
                    let pause = self.pause(&mut backoff, &error, "what to read cannot be had");
                    // The adapter may know of the recovery at once.
                    let pause = pause.min(ASSIGNMENT_PAUSE.max(error.retry_after().unwrap_or_default()));
                    tokio::select! {
                        () = worker::sleep(pause) => {}
                        () = self.stop.requested() => break,
                    }
                }
            }
        }
        let deadline = self.stop.deadline().unwrap_or_else(|| Instant::now() + DRAIN);
        let all = self.remove(None);
        self.drain(all, deadline).await;
        Ok(())
    }

    fn take_up(self: &Arc<Self>, change: Assignment<L::Partition>) {
        match change {
            Assignment::Assigned(partitions) => {
                for (name, partition) in partitions {
                    tracing::info!(partition = name, "reading a partition");
                    self.begin(name, partition);
                }
            }
            Assignment::Revoked(names) => {
                tracing::info!(partitions = names.join(" "), "partitions go to somebody else");
                let lanes = self.remove(Some(&names));
                let log = Arc::clone(self);
                worker::spawn(async move { log.drain(lanes, Instant::now() + DRAIN).await });
            }
            Assignment::Lost(names) => {
                tracing::warn!(partitions = names.join(" "), "partitions were lost");
                for lane in self.remove(Some(&names)) {
                    lane.abandon();
                }
            }
        }
    }

    /// Begins a lane; one of the same name, which should be gone, is abandoned.
    fn begin(self: &Arc<Self>, name: String, partition: L::Partition) {
        let lane = Lane::begin(self, name.clone(), partition);
        let mut lanes = self.lanes();
        if let Some(old) = lanes.insert(name, lane) {
            old.abandon();
        }
        self.count.store(lanes.len(), Ordering::Relaxed);
    }

    /// Takes lanes out: those of these names, or all.
    fn remove(&self, names: Option<&[String]>) -> Vec<Arc<Lane<L>>> {
        let mut lanes = self.lanes();
        let removed = match names {
            Some(names) => names.iter().filter_map(|name| lanes.remove(name)).collect(),
            None => std::mem::take(&mut *lanes).into_values().collect(),
        };
        self.count.store(lanes.len(), Ordering::Relaxed);
        removed
    }

    /// Lets lanes finish what they have begun, stores how far they came, and gives their partitions up.
    async fn drain(&self, lanes: Vec<Arc<Lane<L>>>, deadline: Instant) {
        for lane in &lanes {
            lane.stop();
        }
        let finish = async {
            for lane in &lanes {
                lane.ended().await;
            }
        };
        if tokio::time::timeout_at((deadline - HAND_BACK).into(), finish).await.is_err() {
            tracing::warn!("some records were not accepted before the end: they are read again");
        }
        for lane in &lanes {
            lane.abandon();
        }
        let commit = self.commit(&lanes);
        match tokio::time::timeout_at(deadline.into(), commit).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(
                    reason = error.chain(),
                    "the last positions cannot be stored: some records are read again"
                );
            }
            Err(_) => {
                tracing::warn!("the last positions were not stored in time: some records are read again")
            }
        }
        let partitions = lanes.iter().map(|lane| Arc::clone(&lane.partition)).collect();
        let _ =
            tokio::time::timeout_at((deadline + HAND_BACK / 3).into(), self.adapter.close(partitions)).await;
    }

    /// Says that something failed, and how long to wait before it is tried again.
    fn pause(&self, backoff: &mut Backoff, error: &Error, message: &'static str) -> Duration {
        let pause = backoff.next(error.retry_after().map(|asked| asked.min(self.retry_after_max)));
        tracing::warn!(reason = error.chain(), retry_in_ms = pause.as_millis() as u64, "{message}");
        pause
    }
}
