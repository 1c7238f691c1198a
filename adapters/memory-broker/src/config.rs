//! The settings of memory-broker: the names of the old image, and what is new.

use broker::{room::Amount, settings::BrokerSettings};
use common::config::{Config, Duration, Problems};
use schemars::JsonSchema;
use serde::Deserialize;

/// Bytes of events that are held at most where nothing is set and enough memory is granted.
const BYTES: usize = 64 << 20;

/// The environment; the comments are the user's manual.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct MemoryConfig {
    /// What all brokers have.
    #[serde(flatten)]
    pub broker: BrokerSettings,
    /// Events that are held at most; one trigger holds at most a quarter of them.
    #[serde(default = "default_size")]
    #[schemars(range(min = 1, max = 100_000_000))]
    pub memory_buffer_size: usize,
    /// Bytes of events that are held at most; one trigger holds at most a quarter of them. 64 MiB when it is not set, but a
    /// quarter of the memory that the container is granted at most.
    #[schemars(range(min = 65_536))]
    pub memory_buffer_bytes: Option<usize>,
    /// How long a new event waits for room before it is refused with 429.
    #[serde(default = "default_produce_timeout")]
    pub memory_produce_timeout: Duration,
}

impl Config for MemoryConfig {
    fn validate(&self, problems: &mut Problems) {
        self.broker.validate(problems);
    }
}

impl MemoryConfig {
    /// What the broker holds at most.
    pub fn buffer(&self) -> Amount {
        Amount {
            events: self.memory_buffer_size,
            bytes: self.memory_buffer_bytes.unwrap_or_else(|| common::memory::share(BYTES)),
        }
    }
}

fn default_size() -> usize {
    10_000
}

fn default_produce_timeout() -> Duration {
    Duration::seconds(5)
}
