//! The settings of memory-broker: the names of the old image, and what is new.

use std::path::PathBuf;

use broker::{room::Amount, source::Place};
use common::config::{Config, Duration, Problems};
use schemars::JsonSchema;
use serde::Deserialize;

/// Bytes of events that are held at most where nothing is set and enough memory is granted.
const BYTES: usize = 64 << 20;
/// Where the old image looks for its document.
const DEFAULT_PATH: &str = "/etc/triggermesh/broker.conf";

/// The environment; the comments are the user's manual.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct MemoryConfig {
    /// File with the configuration document (ingest credentials and triggers, YAML or JSON); read again when it changes.
    #[serde(default = "default_path")]
    pub broker_config_path: String,
    /// The configuration document itself, instead of a file; it cannot change.
    pub broker_config: Option<String>,
    /// When above zero, the file is read again each such period instead of when it changes.
    #[serde(default)]
    pub config_polling_period: Duration,
    /// Name of this broker in its metrics; unset, the name of the host.
    pub broker_name: Option<String>,
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
    /// How many replies to replies may follow one event through the broker; one more goes to the dead letter.
    #[serde(default = "default_max_hops")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub broker_max_hops: u32,
    /// Time that one attempt may take, the answer included, where the trigger has no `timeout`.
    #[serde(default = "default_delivery_timeout")]
    pub broker_delivery_timeout: Duration,
    /// Longest wait that is taken from a target's `Retry-After`.
    #[serde(default = "default_retry_after_max")]
    pub broker_retry_after_max: Duration,
    /// Of the old image; not supported: the document cannot be read from a Kubernetes Secret.
    pub kubernetes_broker_config_secret_name: Option<String>,
    /// Of the old image; not supported, as the name of the Secret.
    pub kubernetes_broker_config_secret_key: Option<String>,
    /// Of the old image; without effect: use LOG_LEVEL and METRICS_PROMETHEUS_PORT.
    pub kubernetes_observability_configmap_name: Option<String>,
    /// Of the old image; without effect: no status is written, see the metrics.
    pub kubernetes_status_configmap_name: Option<String>,
    /// Of the old image; without effect: use LOG_LEVEL and METRICS_PROMETHEUS_PORT.
    pub observability_config_path: Option<String>,
    /// Of the old image; without effect: use LOG_LEVEL and METRICS_PROMETHEUS_PORT.
    pub observability_config: Option<String>,
}

impl Config for MemoryConfig {
    fn validate(&self, problems: &mut Problems) {
        for (name, value) in [
            ("KUBERNETES_BROKER_CONFIG_SECRET_NAME", &self.kubernetes_broker_config_secret_name),
            ("KUBERNETES_BROKER_CONFIG_SECRET_KEY", &self.kubernetes_broker_config_secret_key),
        ] {
            if value.is_some() {
                problems.add(
                    name,
                    "is not supported: mount the Secret as a file and set BROKER_CONFIG_PATH, which is read again \
                     when the Secret changes",
                );
            }
        }
        if self.broker_config.is_some() && self.broker_config_path != DEFAULT_PATH {
            problems.add("BROKER_CONFIG", "and BROKER_CONFIG_PATH exclude each other");
        }
    }
}

impl MemoryConfig {
    /// Where the document is, and the variable that says so.
    pub fn place(&self) -> (&'static str, Place) {
        let path = || PathBuf::from(&self.broker_config_path);
        match &self.broker_config {
            Some(text) => ("BROKER_CONFIG", Place::Inline(text.clone())),
            None if self.config_polling_period.is_zero() => ("BROKER_CONFIG_PATH", Place::Watched(path())),
            None => ("BROKER_CONFIG_PATH", Place::Polled(path(), *self.config_polling_period)),
        }
    }

    /// What the broker holds at most.
    pub fn buffer(&self) -> Amount {
        Amount {
            events: self.memory_buffer_size,
            bytes: self.memory_buffer_bytes.unwrap_or_else(|| common::memory::share(BYTES)),
        }
    }

    /// The old settings that are given and do nothing.
    pub fn without_effect(&self) -> impl Iterator<Item = &'static str> {
        [
            ("KUBERNETES_OBSERVABILITY_CONFIGMAP_NAME", &self.kubernetes_observability_configmap_name),
            ("KUBERNETES_STATUS_CONFIGMAP_NAME", &self.kubernetes_status_configmap_name),
            ("OBSERVABILITY_CONFIG_PATH", &self.observability_config_path),
            ("OBSERVABILITY_CONFIG", &self.observability_config),
        ]
        .into_iter()
        .filter(|(_, value)| value.is_some())
        .map(|(name, _)| name)
    }
}

fn default_path() -> String {
    DEFAULT_PATH.to_owned()
}

fn default_size() -> usize {
    10_000
}

fn default_produce_timeout() -> Duration {
    Duration::seconds(5)
}

fn default_max_hops() -> u32 {
    32
}

fn default_delivery_timeout() -> Duration {
    Duration::seconds(30)
}

fn default_retry_after_max() -> Duration {
    Duration::seconds(60)
}
