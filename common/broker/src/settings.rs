//! The settings that all brokers have: the names of the old images, and what is new.

use std::path::PathBuf;

use common::{
    config::{Config, Duration, Problems},
    send::SenderOptions,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{engine::Settings, room::Amount, source::Place};

/// Where the old images look for their document.
const DEFAULT_PATH: &str = "/etc/triggermesh/broker.conf";

/// What every broker reads from its environment, for `#[serde(flatten)]`; the comments are the user's manual.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct BrokerSettings {
    /// File with the configuration document (ingest credentials and triggers, YAML or JSON); read again when it changes.
    #[serde(default = "default_path")]
    pub broker_config_path: String,
    /// The configuration document itself, instead of a file; it cannot change.
    pub broker_config: Option<String>,
    /// When above zero, the file is read again each such period instead of when it changes.
    #[serde(default)]
    pub config_polling_period: Duration,
    /// Name of this broker in its metrics and its status. In `redis-broker` it is also the name of the consumer in the groups of
    /// the stream: replicas need different ones, and one that comes back under its name goes on with what it had. Unset, the
    /// name of the host.
    pub broker_name: Option<String>,
    /// How many replies to replies may follow one event through the broker; one more goes to the dead letter.
    #[serde(default = "default_max_hops", deserialize_with = "whole_number")]
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
    /// Of the old image; without effect: nothing is written, the same status is at `/status` and in the metrics.
    pub kubernetes_status_configmap_name: Option<String>,
    /// Of the old image; without effect: use LOG_LEVEL and METRICS_PROMETHEUS_PORT.
    pub observability_config_path: Option<String>,
    /// Of the old image; without effect: use LOG_LEVEL and METRICS_PROMETHEUS_PORT.
    pub observability_config: Option<String>,
}

impl Config for BrokerSettings {
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

impl BrokerSettings {
    /// Where the document is, and the variable that says so.
    #[must_use]
    pub fn place(&self) -> (&'static str, Place) {
        let path = || PathBuf::from(&self.broker_config_path);
        match &self.broker_config {
            Some(text) => ("BROKER_CONFIG", Place::Inline(text.clone())),
            None if self.config_polling_period.is_zero() => ("BROKER_CONFIG_PATH", Place::Watched(path())),
            None => ("BROKER_CONFIG_PATH", Place::Polled(path(), *self.config_polling_period)),
        }
    }

    /// The name of this broker, or of the host.
    #[must_use]
    pub fn name(&self) -> String {
        self.broker_name.clone().unwrap_or_else(host_name)
    }

    /// How the engine treats what it holds, which is so much at most, in all and for one trigger.
    #[must_use]
    pub fn engine(&self, buffer: Amount, share: Amount) -> Settings {
        Settings {
            name: self.name(),
            buffer,
            share,
            max_hops: self.broker_max_hops,
            retry_after_max: *self.broker_retry_after_max,
            sending: SenderOptions { timeout: *self.broker_delivery_timeout, ..SenderOptions::default() },
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

/// Bytes of events that one trigger holds at most where nothing is set and enough memory is granted.
const BYTES: usize = 16 << 20;

/// What the brokers read beside that whose events outlive them, for `#[serde(flatten)]`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct DurableSettings {
    /// Events that one trigger has read and not acknowledged yet, at most: so many may come twice when the broker is
    /// killed.
    #[serde(default = "default_in_flight", deserialize_with = "whole_number")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub broker_max_in_flight: u32,
    /// Bytes of events that one trigger holds in memory; a read may go over it by the events that it brings. 16 MiB when it
    /// is not set, but a quarter of the memory that the container is granted at most.
    #[serde(default, deserialize_with = "optional_number")]
    #[schemars(range(min = 65_536, max = 4_000_000_000_u32))]
    pub broker_max_in_flight_bytes: Option<u32>,
}

impl DurableSettings {
    /// What one trigger holds at most.
    #[must_use]
    pub fn share(&self) -> Amount {
        let bytes = self.broker_max_in_flight_bytes.map(|bytes| bytes as usize);
        Amount {
            events: self.broker_max_in_flight as usize,
            bytes: bytes.unwrap_or_else(|| common::memory::share(BYTES)),
        }
    }
}

/// A whole number that may be absent, as [`whole_number`].
///
/// # Errors
/// When it is none.
pub fn optional_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    whole_number(deserializer).map(Some)
}

/// A whole number; in a flattened struct every value arrives as text.
///
/// # Errors
/// When it is none.
pub fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(|_| D::Error::custom("expected a whole number"))
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "broker".to_owned() } else { name.trim().to_owned() }
}

fn default_path() -> String {
    DEFAULT_PATH.to_owned()
}

fn default_max_hops() -> u32 {
    32
}

fn default_in_flight() -> u32 {
    1000
}

fn default_delivery_timeout() -> Duration {
    Duration::seconds(30)
}

fn default_retry_after_max() -> Duration {
    Duration::seconds(60)
}
