//! Whether the brokers can be reached, and why not.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use common::Error;

/// How long the brokers may be out of reach before readiness says so.
const TOLERATED: Duration = Duration::from_secs(30);
/// Between two looks at the topic.
const LOOK: Duration = Duration::from_secs(5);

/// Since when the brokers cannot be reached, and when to look next.
#[derive(Debug, Default)]
pub struct Reach {
    failing: Mutex<Option<Failing>>,
    is_failing: AtomicBool,
    look: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Failing {
    since: Instant,
    reason: String,
    /// It does not pass by itself: readiness says so at once.
    is_lasting: bool,
}

impl Failing {
    /// The reason without its cause, which tells of hosts and times.
    fn message(&self) -> &str {
        self.reason.rsplit_once(": ").map_or(&self.reason, |(message, _)| message)
    }
}

impl Reach {
    /// They answer.
    pub fn works(&self) {
        if self.is_failing.swap(false, Relaxed) {
            *lock(&self.failing) = None;
        }
    }

    /// They do not, or not as they should. True when that is news.
    pub fn fails(&self, error: &Error, is_lasting: bool) -> bool {
        let mut failing = lock(&self.failing);
        let since = failing.as_ref().map_or_else(Instant::now, |failing| failing.since);
        let is_lasting = is_lasting || failing.as_ref().is_some_and(|failing| failing.is_lasting);
        let now = Failing { since, reason: error.chain(), is_lasting };
        let is_news = failing
            .as_ref()
            .is_none_or(|known| known.is_lasting != is_lasting || known.message() != now.message());
        *failing = Some(now);
        self.is_failing.store(true, Relaxed);
        is_news
    }

    /// Whether they answer, or have not failed for long.
    pub fn is_ready(&self) -> bool {
        let failing = lock(&self.failing);
        failing.as_ref().is_none_or(|failing| !failing.is_lasting && failing.since.elapsed() < TOLERATED)
    }

    /// Why they cannot be reached.
    pub fn trouble(&self) -> Option<String> {
        lock(&self.failing).as_ref().map(|failing| failing.reason.clone())
    }

    /// Whether it is time to look.
    pub fn is_due(&self) -> bool {
        let mut look = lock(&self.look);
        let is_due = look.is_none_or(|at| at <= Instant::now());
        if is_due {
            *look = Some(Instant::now() + LOOK);
        }
        is_due
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
