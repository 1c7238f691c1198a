//! The settings that every adapter shares, whatever it connects: where events go, where it listens, how it drains.
//!
//! Names and meanings are those of Knative and of the old images; requirements K01 to K24 of the Knative contract.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    config::{Config, Duration, Flag, Json, Pem, Problems, Url},
    event::http::HeaderDecode,
};

/// The shared settings.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FrameConfig {
    /// URL that events are POSTed to, verbatim.
    pub k_sink: Option<Url>,
    /// Whole seconds that one request to the sink may take, its answer included (30 when absent or not a positive number).
    pub k_sink_timeout: Option<String>,
    /// Extensions set on every event sent to the sink: `{"extensions": {"name": "value"}}`.
    pub k_ce_overrides: Option<Json<Overrides>>,
    /// Certificates, in PEM form, trusted beside those of the system.
    pub k_ca_certs: Option<Pem>,
    /// Folder whose PEM files are trusted too (Knative's trust bundles).
    #[serde(default = "default_trust_bundle_dir")]
    pub trust_bundle_dir: String,
    /// File with the token that is sent to the sink as bearer; read again when it changes, no header while it is absent.
    #[serde(default = "default_oidc_token_file")]
    pub oidc_token_file: String,
    /// URL for events that the sink refuses for good; without it such an event is held or answered as a failure.
    pub dead_letter_sink: Option<Url>,
    /// Largest event that is taken in, in bytes.
    #[serde(default = "default_max_event_bytes")]
    #[schemars(range(min = 65536, max = 1_073_741_824))]
    pub max_event_bytes: usize,
    /// Bytes of events that may be in work at once; above it callers are told to try again, and queues and logs are not
    /// read further. 64 MiB when it is not set, for queues and logs 16 MiB, but a quarter of the memory that the container is
    /// granted at most.
    #[schemars(range(min = 65536))]
    pub max_in_flight_bytes: Option<usize>,
    /// Messages of a queue or records of a log that may be read and not yet acknowledged upstream; each source has its own
    /// default.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_in_flight: Option<usize>,
    /// Which records of a log keep their order: those of one `partition`, of one `key` within it, or `none`.
    #[serde(default)]
    pub delivery_order: DeliveryOrder,
    /// Records of one partition that are delivered at once under `DELIVERY_ORDER` `key` or `none`.
    #[serde(default = "default_delivery_parallelism")]
    #[schemars(range(min = 1, max = 1000))]
    pub delivery_parallelism: usize,
    /// Connections that may be open at once; above it new ones wait.
    #[serde(default = "default_max_connections")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_connections: usize,
    /// How long a webhook source tries to deliver before it answers its caller with 503; unset, 10 seconds, or less where
    /// the vendor does not wait so long.
    pub delivery_deadline: Option<Duration>,
    /// Longest wait that is taken from a `Retry-After` header.
    #[serde(default = "default_retry_after_max")]
    pub retry_after_max: Duration,
    /// How percent signs in incoming `ce-` headers are read: `spec` decodes them, `raw` takes them as they are.
    #[serde(default)]
    pub ce_header_decode: HeaderDecode,
    /// How a target answers a failure that no retry mends: unset and `never` by status code; `error`, `errors` and
    /// `always` with 200 and an event whose extension `category` is `error`, as the original images did.
    pub events_payload_policy: Option<PayloadPolicy>,
    /// Name of the bridge that this adapter belongs to; with it, category events carry `statefulbridge` and `statefulid`.
    pub events_bridge_identifier: Option<String>,
    /// Name of the object that this adapter runs for.
    #[serde(default = "default_name")]
    pub name: String,
    /// Namespace of that object.
    pub namespace: Option<String>,
    /// Port for events and health.
    #[serde(default = "default_port")]
    pub port: u16,
    /// Address to listen on.
    #[serde(default = "default_host")]
    pub host: String,
    /// Port for Prometheus at `/metrics`: 9092 unless set (then a taken port is an error); 0 is any free one.
    pub metrics_prometheus_port: Option<u16>,
    /// Address to listen on for Prometheus.
    #[serde(default = "default_host")]
    pub metrics_prometheus_host: String,
    /// Certificate chain of the server, PEM file; with `TLS_KEY_FILE` the server speaks HTTPS. Read again when it changes.
    pub tls_cert_file: Option<String>,
    /// Private key of the server, PEM file.
    pub tls_key_file: Option<String>,
    /// Seconds after SIGTERM in which new requests are still taken, while readiness already says no.
    #[serde(default = "default_drain_seconds")]
    #[schemars(range(max = 600))]
    pub drain_seconds: u64,
    /// Threads that serve; unset, one for each granted core, at most 4.
    #[schemars(range(min = 1, max = 64))]
    pub worker_threads: Option<usize>,
    /// Folder for positions of sources that keep them in files.
    pub checkpoint_dir: Option<String>,
    /// `error`, `warn`, `info`, `debug` or `trace`; wins over `K_LOGGING_CONFIG`.
    pub log_level: Option<LogLevel>,
    /// Knative's logging configuration; its `level` is honoured.
    pub k_logging_config: Option<String>,
    /// Knative's observability configuration; `metrics.protocol` and `metrics.endpoint` of Prometheus are honoured.
    pub k_observability_config: Option<String>,
    /// Proxies for plain requests are taken from `HTTP_PROXY`, for TLS from `HTTPS_PROXY`, exceptions from `NO_PROXY`;
    /// set to `false` to ignore them.
    #[serde(default = "default_use_proxy")]
    pub use_proxy: Flag,
}

/// The content of `K_CE_OVERRIDES`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Overrides {
    /// Extensions to set; the name of a core attribute is a mistake.
    #[serde(default)]
    extensions: Option<BTreeMap<ExtensionName, String>>,
}

impl Overrides {
    /// Names and values of the extensions to set.
    pub fn extensions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.extensions.iter().flatten().map(|(name, value)| (name.0.as_str(), value.as_str()))
    }
}

/// The name of an extension that an override may set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct ExtensionName(String);

impl TryFrom<String> for ExtensionName {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        if is_extension_name(&name) { Ok(Self(name)) } else { Err("no name of an extension") }
    }
}

/// `EVENTS_PAYLOAD_POLICY`: the spelling `errors` is that of the old code, `error` that of its documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PayloadPolicy {
    /// Answer with events, both success and failure.
    Always,
    /// Answer failures with events.
    Error,
    /// The same as `error`.
    Errors,
    /// Answer without events.
    Never,
}

/// `DELIVERY_ORDER`: what a log source keeps in order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryOrder {
    /// All records of a partition: one is delivered at a time.
    #[default]
    Partition,
    /// Records of a partition with the same key.
    Key,
    /// Nothing.
    None,
}

/// Least severe log level that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Config for FrameConfig {
    fn validate(&self, problems: &mut Problems) {
        for (name, host) in [("HOST", &self.host), ("METRICS_PROMETHEUS_HOST", &self.metrics_prometheus_host)]
        {
            if host.parse::<std::net::IpAddr>().is_err() {
                problems.add(name, "must be an IP address");
            }
        }
        match (&self.tls_cert_file, &self.tls_key_file) {
            (Some(_), None) => problems.add("TLS_KEY_FILE", "is missing: TLS_CERT_FILE is set"),
            (None, Some(_)) => problems.add("TLS_CERT_FILE", "is missing: TLS_KEY_FILE is set"),
            _ => {}
        }
    }
}

impl FrameConfig {
    /// Time that one request to the sink may take.
    #[must_use]
    pub fn sink_timeout(&self) -> std::time::Duration {
        let seconds = self.k_sink_timeout.as_deref().and_then(|text| text.trim().parse::<u64>().ok());
        std::time::Duration::from_secs(seconds.filter(|seconds| *seconds > 0).unwrap_or(30))
    }

    /// Bytes of events that may be in work at once, so many where nothing is set and enough memory is granted.
    #[must_use]
    pub fn in_flight_bytes(&self, usual: usize) -> usize {
        self.max_in_flight_bytes.unwrap_or_else(|| crate::memory::share(usual))
    }

    /// Threads that serve.
    #[must_use]
    pub fn workers(&self) -> usize {
        let granted = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(4);
        self.worker_threads.unwrap_or_else(granted)
    }
}

/// Whether an override may have this name: core attributes are what the event says of itself.
fn is_extension_name(name: &str) -> bool {
    const CORE: [&str; 8] =
        ["id", "source", "type", "specversion", "subject", "time", "datacontenttype", "dataschema"];
    !CORE.contains(&name) && crate::event::is_attribute_name(name)
}

fn default_trust_bundle_dir() -> String {
    "/knative-custom-certs".to_owned()
}

fn default_oidc_token_file() -> String {
    "/oidc/token".to_owned()
}

fn default_max_event_bytes() -> usize {
    8 << 20
}

fn default_delivery_parallelism() -> usize {
    16
}

fn default_max_connections() -> usize {
    4096
}

fn default_retry_after_max() -> Duration {
    Duration::seconds(60)
}

fn default_name() -> String {
    "adapter".to_owned()
}

fn default_port() -> u16 {
    8080
}

fn default_host() -> String {
    "0.0.0.0".to_owned()
}

fn default_drain_seconds() -> u64 {
    5
}

fn default_use_proxy() -> Flag {
    Flag(true)
}
