//! How a trigger delivers: tries, and the waits between them.
//!
//! Facts: the TriggerMesh brokers' delivery options (linear waits d·n, exponential d·2ⁿ, n counted from 1).

use std::time::Duration;

/// No wait between two tries is longer, whatever the formula gives.
pub const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Deliveries of one trigger that are out at the same time unless the trigger says otherwise: enough to keep up with
/// as many senders over a network, while a slow target sees a bounded number of requests.
pub const DEFAULT_CONCURRENCY: usize = 64;

/// Where a trigger delivers, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The target; `None` = not known yet: everything goes to the dead letter.
    pub url: Option<String>,
    /// Where an event goes that could not be delivered.
    pub dead_letter_url: Option<String>,
    /// Tries after the first.
    pub retry: u32,
    /// How the waits grow.
    pub backoff: Backoff,
    /// The delay that the waits are made of.
    pub delay: Duration,
    /// Time for one try; `None` = the broker's own.
    pub timeout: Option<Duration>,
    /// Deliveries out at the same time.
    pub concurrency: usize,
    /// Events that are equal in this attribute are delivered one after the other, in the order they came.
    pub order_by: Option<String>,
}

/// How the waits between tries grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backoff {
    /// The delay each time.
    Constant,
    /// The delay times the number of the retry, from 1.
    Linear,
    /// The delay times two to the number of the retry, from 1.
    Exponential,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            url: None,
            dead_letter_url: None,
            retry: 0,
            backoff: Backoff::Exponential,
            delay: Duration::from_millis(200),
            timeout: None,
            concurrency: DEFAULT_CONCURRENCY,
            order_by: None,
        }
    }
}

impl Options {
    /// The wait before a retry (counted from 1). What the receiver asked for with `Retry-After` lengthens it, up to
    /// `longest_asked`.
    #[must_use]
    pub fn wait(&self, retry: u32, asked: Option<Duration>, longest_asked: Duration) -> Duration {
        let wait = match self.backoff {
            Backoff::Constant => self.delay,
            Backoff::Linear => self.delay.saturating_mul(retry),
            Backoff::Exponential => self.delay.saturating_mul(2_u32.saturating_pow(retry)),
        };
        let asked = asked.unwrap_or_default().min(longest_asked);
        wait.min(LONGEST_WAIT).max(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(backoff: Backoff, milliseconds: u64) -> Options {
        Options { backoff, delay: Duration::from_millis(milliseconds), ..Options::default() }
    }

    #[test]
    fn waits_by_formula() {
        let table = [
            (Backoff::Constant, [200, 200, 200, 200]),
            (Backoff::Linear, [200, 400, 600, 800]),
            (Backoff::Exponential, [400, 800, 1600, 3200]),
        ];
        for (backoff, waits) in table {
            for (retry, wait) in (1..).zip(waits) {
                let found = options(backoff, 200).wait(retry, None, Duration::MAX);
                assert_eq!(found, Duration::from_millis(wait), "{backoff:?} {retry}");
            }
        }
    }

    #[test]
    fn bounds_the_wait() {
        let hour = options(Backoff::Exponential, 200);
        assert_eq!(hour.wait(u32::MAX, None, Duration::ZERO), LONGEST_WAIT);
        assert_eq!(options(Backoff::Linear, u64::MAX).wait(u32::MAX, None, Duration::ZERO), LONGEST_WAIT);
        assert_eq!(options(Backoff::Constant, 0).wait(7, None, Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn retry_after_lengthens_within_its_bound() {
        let seconds = Duration::from_secs;
        let options = options(Backoff::Constant, 2_000);
        let table = [(None, 2), (Some(1), 2), (Some(5), 5), (Some(500), 60)];
        for (asked, wait) in table {
            assert_eq!(options.wait(1, asked.map(seconds), seconds(60)), seconds(wait), "{asked:?}");
        }
    }
}
