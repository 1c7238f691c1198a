//! What is told of the stream.

use common::metrics::{Gauges, gauges};

/// Figures of the stream, and of its groups by trigger.
#[derive(Debug)]
pub struct Metrics {
    pub length: Gauges,
    pub letters: Gauges,
    pub pending: Gauges,
    pub lag: Gauges,
    pub round_trips: Gauges,
}

impl Metrics {
    pub fn new(broker: &str) -> Self {
        let family =
            |name: &str, help: &str, labels: &[&str]| gauges(name, help, labels, &[("broker_name", broker)]);
        Self {
            length: family("broker_log_length", "Entries of the stream", &[]),
            letters: family("broker_dead_letters", "Dead letters that are kept", &[]),
            pending: family(
                "broker_log_pending",
                "Entries that were read and not acknowledged",
                &["trigger_name"],
            ),
            lag: family("broker_log_lag", "Entries that were not read", &["trigger_name"]),
            round_trips: family("broker_log_round_trips", "Requests to Redis since the start", &[]),
        }
    }
}
