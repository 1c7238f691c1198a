//! Growing pauses between attempts.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(30);

/// Pauses that double from 200 ms to 30 s, each varied by a tenth so that callers do not come in step.
#[derive(Debug, Default)]
pub struct Backoff(u32);

impl Backoff {
    /// The next pause, at least as long as the receiver asked for.
    pub fn next(&mut self, asked: Option<Duration>) -> Duration {
        let pause = FIRST.saturating_mul(1 << self.0.min(16)).min(LONGEST);
        self.0 = self.0.saturating_add(1);
        let varied = pause.mul_f64(0.9 + 0.2 * fastrand::f64());
        varied.max(asked.unwrap_or_default())
    }

    /// How many pauses there were.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0
    }
}
