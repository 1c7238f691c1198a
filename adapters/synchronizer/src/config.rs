//! The environment of the synchronizer: the names are those of the original image.

use common::config::{Config, Duration, Extension, Problems};
use schemars::JsonSchema;
use serde::Deserialize;

/// Length of a key where none is given; in the original, the definition of the kind alone knew it.
const LENGTH: usize = 24;
/// A shorter key can be guessed by who may send to us: 16 letters are 82 bits.
const SHORT: usize = 16;
/// Settings of the synchronizer.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SynchronizerConfig {
    /// Name of the extension that says which request an event answers: letters and digits, not the name of an attribute.
    #[schemars(extend("examples" = ["correlationid"]))]
    pub correlation_key: Extension,
    /// Letters of the random key that is its value; 0 is 24. Below 16 a key can be guessed.
    #[serde(default = "default_length")]
    #[schemars(range(max = 64))]
    pub correlation_key_length: usize,
    /// How long a caller waits for the response to its request, counted from its arrival.
    pub response_wait_timeout: Duration,
    /// Requests that wait at most; further ones are answered with 503. Unset, half of `MAX_CONNECTIONS`, and less than that in
    /// any case: each has a connection, and the responses need some too. Together they hold half of `MAX_IN_FLIGHT_BYTES` at
    /// most.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_waiting: Option<usize>,
    /// The frame's: requests and responses without `statefulbridge` get this as that extension.
    #[schemars(skip)]
    pub events_bridge_identifier: Option<String>,
    /// The frame's: of these, the waiting take a half at most.
    #[schemars(skip)]
    pub max_connections: Option<usize>,
    /// The frame's: of these, the waiting take a half at most, so that there is always room for a response.
    #[schemars(skip)]
    pub max_in_flight_bytes: Option<usize>,
}

impl Config for SynchronizerConfig {
    fn validate(&self, problems: &mut Problems) {
        if self.response_wait_timeout.is_zero() {
            problems.add("RESPONSE_WAIT_TIMEOUT", "must be more than nothing");
        }
        if self.waiting() >= self.connections() {
            problems
                .add("MAX_WAITING", "must be less than MAX_CONNECTIONS, of which the responses need some");
        }
    }
}

impl SynchronizerConfig {
    /// Letters of a key.
    pub fn length(&self) -> usize {
        if self.correlation_key_length == 0 { LENGTH } else { self.correlation_key_length }
    }

    /// Whether keys are so short that they can be guessed.
    pub fn is_guessable(&self) -> bool {
        self.length() < SHORT
    }

    /// Requests that may wait.
    pub fn waiting(&self) -> usize {
        self.max_waiting.unwrap_or_else(|| self.connections() / 2)
    }

    /// Bytes of requests that may wait.
    pub fn waiting_bytes(&self) -> usize {
        waiting::bytes(self.max_in_flight_bytes)
    }

    fn connections(&self) -> usize {
        waiting::connections(self.max_connections)
    }
}

fn default_length() -> usize {
    LENGTH
}

#[cfg(test)]
mod tests {
    use common::config::of;

    use super::*;

    fn config(settings: &[(&str, &str)]) -> Result<SynchronizerConfig, Vec<String>> {
        let usual = [("CORRELATION_KEY", "correlationid"), ("RESPONSE_WAIT_TIMEOUT", "20s")];
        of(&[&usual, settings].concat()).map_err(|error| error.problems)
    }

    #[test]
    fn the_key_is_an_extension() {
        for name in ["id", "Type", "schemaurl", "specversion", "source", "correlation_id", "ключ"] {
            let problems = config(&[("CORRELATION_KEY", name)]).map(drop).expect_err(name);
            assert_eq!(problems.len(), 1, "{name}: {problems:?}");
            assert!(
                problems[0].starts_with("CORRELATION_KEY must be the name of an extension"),
                "{problems:?}"
            );
        }
        let config = config(&[("CORRELATION_KEY", "OrderKey")]).expect("good settings");
        assert_eq!(config.correlation_key.as_str(), "orderkey");
    }

    #[test]
    fn the_length_is_24_unless_it_is_said() {
        for (settings, length) in [
            (vec![], 24),
            (vec![("CORRELATION_KEY_LENGTH", "0")], 24),
            (vec![("CORRELATION_KEY_LENGTH", "1")], 1),
            (vec![("CORRELATION_KEY_LENGTH", "64")], 64),
        ] {
            let config = config(&settings).expect("good settings");
            assert_eq!(config.length(), length);
            assert_eq!(config.is_guessable(), length < 16);
        }
        for length in ["65", "-1", "many"] {
            assert!(config(&[("CORRELATION_KEY_LENGTH", length)]).is_err(), "{length}");
        }
    }

    #[test]
    fn the_time_is_that_of_go() {
        for (text, millis) in [("20s", 20_000), ("1m30s", 90_000), ("250ms", 250)] {
            let config = config(&[("RESPONSE_WAIT_TIMEOUT", text)]).expect("good settings");
            assert_eq!(config.response_wait_timeout.as_millis(), millis);
        }
        for text in ["0", "0s", "-1s", "20"] {
            assert!(config(&[("RESPONSE_WAIT_TIMEOUT", text)]).is_err(), "{text}");
        }
    }

    #[test]
    fn what_waits_leaves_room_for_responses() {
        for (settings, waiting, bytes) in [
            (vec![], 2048, 32 << 20),
            (vec![("MAX_CONNECTIONS", "100"), ("MAX_IN_FLIGHT_BYTES", "1000000")], 50, 500_000),
            (vec![("MAX_WAITING", "5000"), ("MAX_CONNECTIONS", "5001")], 5000, 32 << 20),
        ] {
            let config = config(&settings).expect("good settings");
            assert_eq!(config.waiting(), waiting);
            assert!(config.waiting_bytes() <= bytes, "{}", config.waiting_bytes());
        }
        for settings in [
            vec![("MAX_WAITING", "0")],
            vec![("MAX_WAITING", "4096")],
            vec![("MAX_WAITING", "10"), ("MAX_CONNECTIONS", "10")],
        ] {
            let problems = config(&settings).map(drop).expect_err("too much");
            assert!(problems[0].starts_with("MAX_WAITING"), "{problems:?}");
        }
    }
}
