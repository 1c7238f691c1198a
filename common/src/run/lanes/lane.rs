//! One partition: read when there is room, delivered in order, its progress kept.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::mpsc, task::AbortHandle};

use super::Log;
use crate::{
    Event, Trace,
    adapter::{LogSource, Record},
    frame::DeliveryOrder,
    metrics::Counted,
    send::{Backoff, Terms},
    stop::{Stop, Stopper},
    window::Window,
    worker,
};

/// Most records that are read with one call.
const READ: usize = 500;

/// How often a lane looks whether others, whose share has become smaller, still have more than that.
const OTHERS: Duration = Duration::from_millis(20);

/// A partition that is read.
pub(super) struct Lane<L: LogSource> {
    name: String,
    pub(super) partition: Arc<L::Partition>,
    pub(super) window: Window<L::Position>,
    stopper: Stopper,
    stop: Stop,
    tasks: Mutex<Vec<AbortHandle>>,
    /// Closed when the last task has ended.
    ended: tokio::sync::watch::Receiver<()>,
}

/// A record on its way.
struct Delivery {
    number: u64,
    origin: String,
    events: Vec<Event>,
    _counted: Counted,
}

impl<L: LogSource> Lane<L> {
    /// Begins to read.
    pub(super) fn begin(log: &Arc<Log<L>>, name: String, partition: L::Partition) -> Arc<Self> {
        let (stopper, stop) = Stop::channel();
        let (ending, ended) = tokio::sync::watch::channel(());
        let lane = Arc::new(Self {
            name,
            partition: Arc::new(partition),
            window: Window::new(),
            stopper,
            stop,
            tasks: Mutex::default(),
            ended,
        });
        let ending = Arc::new(ending);
        match log.order {
            DeliveryOrder::Partition => {
                let (log, reading) = (Arc::clone(log), Arc::clone(&lane));
                lane.spawn(&ending, async move { reading.read(&log, &mut Way::Here).await });
            }
            DeliveryOrder::Key | DeliveryOrder::None => {
                let keyed = log.order == DeliveryOrder::Key;
                let slots = (0..log.parallelism).map(|_| lane.slot(log, &ending)).collect();
                let (log, reading) = (Arc::clone(log), Arc::clone(&lane));
                let mut way = Way::Slots { slots, keyed, next: 0 };
                lane.spawn(&ending, async move { reading.read(&log, &mut way).await });
            }
        }
        lane
    }

    fn spawn(
        &self,
        ending: &Arc<tokio::sync::watch::Sender<()>>,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let ending = Arc::clone(ending);
        let task = worker::spawn(async move {
            task.await;
            drop(ending);
        });
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task.abort_handle());
    }

    /// A slot that delivers one record after the other beside the others.
    fn slot(
        self: &Arc<Self>,
        log: &Arc<Log<L>>,
        ending: &Arc<tokio::sync::watch::Sender<()>>,
    ) -> mpsc::UnboundedSender<Delivery> {
        // Bounded by the window.
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let (log, lane) = (Arc::clone(log), Arc::clone(self));
        self.spawn(ending, async move {
            while let Some(delivery) = receiver.recv().await {
                if lane.stop.is_requested() || !lane.deliver(&log, delivery).await {
                    return;
                }
            }
        });
        sender
    }

    /// What has begun is finished, and nothing more is begun.
    pub(super) fn stop(&self) {
        self.stopper.request();
    }

    /// Waits for the end after a stop.
    pub(super) async fn ended(&self) {
        // An error says that all tasks have ended.
        let _ = self.ended.clone().wait_for(|()| false).await;
    }

    /// Ends it as a crash would.
    pub(super) fn abandon(&self) {
        self.stop();
        for task in &*self.tasks.lock().unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }

    /// Reads until it is stopped.
    async fn read(&self, log: &Log<L>, way: &mut Way) {
        let mut backoff = Backoff::default();
        while !self.stop.is_requested() {
            let room = tokio::select! {
                room = self.room(log) => room,
                () = self.stop.requested() => return,
            };
            let records = tokio::select! {
                records = log.adapter.read(&self.partition, room) => records,
                () = self.stop.requested() => return,
            };
            match records {
                Ok(records) => {
                    log.health.upstream().succeeded();
                    backoff = Backoff::default();
                    if !self.forward(log, way, records).await {
                        return;
                    }
                }
                Err(error) => {
                    log.health.upstream().failed();
                    let pause = log.pause(&mut backoff, &error, "a partition cannot be read");
                    tokio::select! {
                        () = worker::sleep(pause) => {}
                        () = self.stop.requested() => return,
                    }
                }
            }
        }
    }

    /// Waits until there is room, and says for how many records.
    async fn room(&self, log: &Log<L>) -> usize {
        let is_free = |count, bytes| {
            let (most, most_bytes) = log.share();
            count < most && bytes < most_bytes
        };
        loop {
            let (count, bytes) = self.window.size();
            if !is_free(count, bytes) {
                log.pressed.notify_one();
                self.window.until(is_free).await;
            }
            let (count, _) = self.window.size();
            // A lane that has nothing may always take one.
            let left = log.left().max(usize::from(count == 0));
            if left > 0 {
                return log.share().0.saturating_sub(count).min(left).clamp(1, READ);
            }
            log.pressed.notify_one();
            worker::sleep(OTHERS).await;
        }
    }

    /// Delivers records, or hands them to slots; false when the lane is to end.
    async fn forward(&self, log: &Log<L>, way: &mut Way, records: Vec<Record<L::Position>>) -> bool {
        for Record { position, key, events, bytes } in records {
            let origin = format!("{}@{position}", self.name);
            let number = self.window.push(position, bytes);
            let delivery = Delivery { number, origin, events, _counted: log.metrics.in_flight.count() };
            match way {
                Way::Here => {
                    if self.stop.is_requested() || !self.deliver(log, delivery).await {
                        return false;
                    }
                }
                Way::Slots { slots, keyed, next } => {
                    let slot = match key.filter(|_| *keyed) {
                        Some(key) => hash(&key),
                        None => {
                            *next += 1;
                            *next
                        }
                    };
                    // A slot ends before this only when the lane is to end.
                    if slots[slot % slots.len()].send(delivery).is_err() {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Delivers one record; false when it was not accepted before the stop.
    async fn deliver(&self, log: &Log<L>, delivery: Delivery) -> bool {
        let terms = Terms { origin: Some(&delivery.origin), ..Terms::new(&self.stop) };
        for mut event in delivery.events {
            let begun = std::time::Instant::now();
            let trace = Trace::of(&event);
            let result = log.sink.deliver_under(&mut event, &trace, &terms).await;
            log.metrics.processed(event.event_type(), result.is_ok(), begun.elapsed());
            if result.is_err() {
                return false;
            }
        }
        if self.window.deliver(delivery.number) {
            log.progressed.notify_one();
        }
        true
    }
}

/// Where records are delivered.
enum Way {
    /// By the task that reads, one after the other.
    Here,
    /// By several, each one after the other.
    Slots { slots: Vec<mpsc::UnboundedSender<Delivery>>, keyed: bool, next: usize },
}

/// The same number for the same key (FNV-1a).
fn hash(key: &[u8]) -> usize {
    let hash = key.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ (hash >> 32)) as usize
}
