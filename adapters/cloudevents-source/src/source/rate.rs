//! A token bucket: so many per second, and at once no more than a second's worth.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

/// Holds at most the tokens of one second and fills evenly.
#[derive(Debug)]
pub struct Bucket {
    per_second: f64,
    level: Mutex<Level>,
}

#[derive(Debug)]
struct Level {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// A full bucket.
    pub fn new(per_second: u32, now: Instant) -> Self {
        let per_second = f64::from(per_second.max(1));
        Self { per_second, level: Mutex::new(Level { tokens: per_second, at: now }) }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// The time until there is one.
    pub fn take(&self, now: Instant) -> Result<(), Duration> {
        self.with(now, |tokens| *tokens -= 1.0)
    }

    /// As [`take`](Self::take), but leaves the token where it is.
    ///
    /// # Errors
    /// The time until there is one.
    pub fn look(&self, now: Instant) -> Result<(), Duration> {
        self.with(now, |_| {})
    }

    fn with(&self, now: Instant, found: impl FnOnce(&mut f64)) -> Result<(), Duration> {
        // Nothing in here panics, so the lock cannot be poisoned; were it, nothing would be let in.
        let Ok(mut level) = self.level.lock() else { return Err(Duration::from_secs(1)) };
        // Another thread may have looked at its clock later and come first.
        let passed = now.saturating_duration_since(level.at);
        level.at = level.at.max(now);
        level.tokens = (level.tokens + passed.as_secs_f64() * self.per_second).min(self.per_second);
        if level.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - level.tokens) / self.per_second));
        }
        found(&mut level.tokens);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holds_so_many_and_no_more() {
        let start = Instant::now();
        let bucket = Bucket::new(2, start);
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(bucket.take(at(0)), Ok(()));
        assert_eq!(bucket.look(at(0)), Ok(()));
        assert_eq!(bucket.take(at(0)), Ok(()));
        assert_eq!(bucket.take(at(0)), Err(Duration::from_millis(500)));
        assert_eq!(bucket.look(at(250)), Err(Duration::from_millis(250)));
        assert_eq!(bucket.take(at(500)), Ok(()));
        assert!(bucket.take(at(400)).is_err(), "an earlier clock gives nothing");
        // A long pause fills it, and no more than that.
        let taken = (0..5).filter(|_| bucket.take(at(60_000)).is_ok()).count();
        assert_eq!(taken, 2);
    }
}
