//! Live, started, ready: what the three health paths answer, and the reasons.

use std::{
    fmt,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How long something must fail before readiness says no.
const TOLERATED: Duration = Duration::from_secs(30);
/// How long after the last failure readiness says yes again, so that a source which only pushes can find out by real
/// traffic that its sink has come back.
const HALF_OPEN: Duration = Duration::from_secs(60);

/// What the process knows about its own health.
#[derive(Debug)]
pub struct Health {
    started: AtomicBool,
    connected: AtomicBool,
    stopping: AtomicBool,
    /// Where events go.
    sink: Part,
    /// Where a source takes them from.
    upstream: Part,
    /// What the adapter says of what it cannot work without.
    reachable: OnceLock<Reachable>,
}

/// Whether an adapter can reach what it cannot work without.
struct Reachable(Box<dyn Fn() -> bool + Send + Sync>);

impl fmt::Debug for Reachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reachable")
    }
}

impl Default for Health {
    fn default() -> Self {
        Self {
            started: AtomicBool::default(),
            connected: AtomicBool::default(),
            stopping: AtomicBool::default(),
            sink: Part::new("the sink"),
            upstream: Part::new("the upstream system"),
            reachable: OnceLock::new(),
        }
    }
}

/// One of the things that this process depends on.
#[derive(Debug)]
pub struct Part {
    name: &'static str,
    /// Read on every success, so that the lock is only taken when something did fail.
    failing: AtomicBool,
    failure: Mutex<Option<Failing>>,
}

#[derive(Debug, Clone, Copy)]
struct Failing {
    since: Instant,
    last: Instant,
}

impl Part {
    const fn new(name: &'static str) -> Self {
        Self { name, failing: AtomicBool::new(false), failure: Mutex::new(None) }
    }

    /// It worked.
    pub fn succeeded(&self) {
        if self.failing.load(Ordering::Relaxed) {
            let failure = self.failure.lock().ok().and_then(|mut failure| failure.take());
            self.failing.store(false, Ordering::Relaxed);
            if let Some(failing) = failure {
                let seconds = failing.since.elapsed().as_secs();
                tracing::info!(part = self.name, seconds, "it works again");
            }
        }
    }

    /// It failed, by no fault of an event.
    pub fn failed(&self) {
        let now = Instant::now();
        if let Ok(mut failure) = self.failure.lock() {
            let since = failure.map_or(now, |failing| failing.since);
            *failure = Some(Failing { since, last: now });
            self.failing.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it has failed for too long.
    fn is_down(&self) -> bool {
        let failing = || {
            let failure = self.failure.lock().ok().and_then(|failure| *failure);
            failure.is_some_and(|f| f.since.elapsed() >= TOLERATED && f.last.elapsed() < HALF_OPEN)
        };
        self.failing.load(Ordering::Relaxed) && failing()
    }
}

impl Health {
    /// The adapter is to be asked as well.
    pub(crate) fn set_reachable(&self, reachable: impl Fn() -> bool + Send + Sync + 'static) {
        // A process has one adapter.
        let _ = self.reachable.set(Reachable(Box::new(reachable)));
    }

    /// The first contact was tried, with whatever result.
    pub(crate) fn set_started(&self) {
        self.started.store(true, Ordering::Release);
    }

    /// The first contact succeeded.
    pub(crate) fn set_connected(&self) {
        self.connected.store(true, Ordering::Release);
    }

    /// The process was asked to stop.
    pub(crate) fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Where events go.
    pub(crate) fn sink(&self) -> &Part {
        &self.sink
    }

    /// Where a source takes them from.
    pub(crate) fn upstream(&self) -> &Part {
        &self.upstream
    }

    /// 200 for the start-up probe.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }

    /// 200 for the readiness probe.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.connected.load(Ordering::Acquire)
            && !self.stopping.load(Ordering::Acquire)
            && !self.sink.is_down()
            && !self.upstream.is_down()
            && self.reachable.get().is_none_or(|Reachable(reachable)| reachable())
    }
}
