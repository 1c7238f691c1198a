//! Whether the brokers can be reached.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// How long the brokers may be out of reach before readiness says so.
const TOLERATED: Duration = Duration::from_secs(30);
/// Between two looks at the topic.
const LOOK: Duration = Duration::from_secs(5);

/// Since when the brokers cannot be reached, and when to look next.
#[derive(Debug, Default)]
pub struct Reach {
    failing: Mutex<Option<Instant>>,
    is_failing: AtomicBool,
    look: Mutex<Option<Instant>>,
}

impl Reach {
    /// They answer.
    pub fn works(&self) {
        if self.is_failing.swap(false, Relaxed) {
            *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// They do not.
    pub fn fails(&self) {
        if !self.is_failing.swap(true, Relaxed) {
            *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }

    pub fn is_failing(&self) -> bool {
        self.is_failing.load(Relaxed)
    }

    /// Whether they answer, or have not failed for long.
    pub fn is_ready(&self) -> bool {
        let failing = *self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        failing.is_none_or(|since| since.elapsed() < TOLERATED)
    }

    /// Whether it is time to look.
    pub fn is_due(&self) -> bool {
        let mut look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = look.is_none_or(|at| at <= Instant::now());
        if is_due {
            *look = Some(Instant::now() + LOOK);
        }
        is_due
    }
}
