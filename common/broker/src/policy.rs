//! How a trigger delivers: tries, the waits between them, and what a dead-letter event says about the failure.
//!
//! Facts: the TriggerMesh brokers' delivery options (linear waits d·n, exponential d·2ⁿ, n counted from 1) and
//! Knative's dead-letter extensions.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use common::{Event, Text};

/// No wait between two tries is longer, whatever the formula gives.
pub const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Deliveries of one trigger that are out at the same time unless the trigger says otherwise: enough to keep up with
/// as many senders over a network, while a slow target sees a bounded number of requests.
pub const DEFAULT_CONCURRENCY: usize = 64;

/// Bytes of an error body that a dead-letter event carries: its base64 text is 1024 characters, Knative's limit.
const ERROR_DATA: usize = 768;

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

/// The event as the dead letter gets it: with the failed address, the last status and the body of the answer.
///
/// `status` is `None` when there was no answer; it is then given as 500 and `body` should say what happened, both as
/// Knative's in-memory channel does it.
#[must_use]
pub fn dead_letter(event: &Event, destination: &str, status: Option<u16>, body: &[u8]) -> Event {
    let mut event = event.clone();
    let data = STANDARD.encode(body.get(..ERROR_DATA).unwrap_or(body));
    let attributes = [
        ("knativeerrordest", Text::from(destination)),
        ("knativeerrorcode", Text::from(status.unwrap_or(500).to_string())),
        ("knativeerrordata", Text::from(data)),
    ];
    for (name, value) in attributes {
        // Nothing to say is better left out; and a value that could not be carried must not cost the event.
        if value.is_empty() || event.set(name, value).is_err() {
            event.remove(name);
        }
    }
    event
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

    #[test]
    fn dead_letter_says_what_happened() {
        let event = Event::new("1", "/a", "t").unwrap();
        let dead = dead_letter(&event, "http://x/", Some(418), b"teapot");
        assert_eq!(dead.get("knativeerrordest"), Some("http://x/"));
        assert_eq!(dead.get("knativeerrorcode"), Some("418"));
        assert_eq!(dead.get("knativeerrordata"), Some("dGVhcG90"));
        assert_eq!(dead.id(), "1");

        let dead = dead_letter(&dead, "", None, &[b'x'; 5000]);
        assert_eq!(dead.get("knativeerrordest"), None);
        assert_eq!(dead.get("knativeerrorcode"), Some("500"));
        let data = dead.get("knativeerrordata").unwrap();
        assert_eq!(data.len(), 1024);
        assert_eq!(STANDARD.decode(data).unwrap(), [b'x'; 768]);

        assert_eq!(dead_letter(&event, "http://x/", Some(503), b"").get("knativeerrordata"), None);
    }
}
