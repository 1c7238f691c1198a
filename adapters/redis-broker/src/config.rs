//! The settings of redis-broker: the names of the old image, and what is new.

use broker::settings::{BrokerSettings, DurableSettings};
use common::config::{Config, Duration, Flag, List, Pem, Problems, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

/// The address of the old image, from where its own container would be reached.
const DEFAULT_ADDRESS: &str = "0.0.0.0:6379";

/// The environment; the comments are the user's manual.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RedisConfig {
    /// What all brokers have.
    #[serde(flatten)]
    pub broker: BrokerSettings,
    /// What all brokers have whose events outlive them.
    #[serde(flatten)]
    pub durable: DurableSettings,
    /// Host and port of the server.
    #[serde(default = "default_address")]
    #[schemars(example = "redis:6379")]
    pub redis_address: String,
    /// Hosts and ports of some nodes of a cluster, separated by commas, instead of REDIS_ADDRESS.
    #[schemars(example = "redis-0:6379,redis-1:6379")]
    pub redis_cluster_addresses: Option<List>,
    /// User to log in as (ACL); unset, the default user.
    pub redis_username: Option<String>,
    /// Password to log in with.
    pub redis_password: Option<Secret>,
    /// Number of the database; a cluster has only one.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub redis_database: u32,
    /// Whether TLS is spoken, 1.2 at least.
    #[serde(default)]
    pub redis_tls_enabled: Flag,
    /// Whether any certificate of the server is accepted.
    #[serde(default)]
    pub redis_tls_skip_verify: Flag,
    /// Certificates of the authorities that are trusted, PEM, instead of those of the system.
    pub redis_tls_ca_certificate: Option<Pem>,
    /// Certificate to show, with those that it depends on, PEM.
    pub redis_tls_certificate: Option<Pem>,
    /// The key of that certificate, PEM.
    pub redis_tls_key: Option<Secret>,
    /// Key of the stream that the events are in. The dead letters are in a stream beside it, `{key}.GROUP.dlq`.
    #[serde(default = "default_stream")]
    pub redis_stream: String,
    /// What the name of each consumer group begins with; the trigger's name follows behind a dot.
    #[serde(default = "default_group")]
    pub redis_group: String,
    /// Entries that the stream is trimmed down to, near enough, but never beyond what a trigger has not got or not done
    /// with; 0 never trims.
    #[serde(default = "default_stream_max_len")]
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub redis_stream_max_len: u32,
    /// How long an entry is in the hands of a broker that says nothing before another one takes it; at least 3 s.
    #[serde(default = "default_claim_idle")]
    pub redis_claim_idle: Duration,
    /// How long the group of a trigger that is gone from the document, and of which nobody has read, stays and holds back
    /// the trimming; 0 = for ever.
    #[serde(default)]
    pub redis_group_expiry: Duration,
    /// Whether targets are told the id of the entry, in the extension `triggermeshbackendid`.
    #[serde(default)]
    pub redis_tracking_id_enabled: Flag,
}

impl Config for RedisConfig {
    fn validate(&self, problems: &mut Problems) {
        self.broker.validate(problems);
        let addresses = std::slice::from_ref(&self.redis_address);
        let cluster = self.redis_cluster_addresses.as_ref().map_or(&[][..], |list| &list.0);
        for (name, addresses) in [("REDIS_ADDRESS", addresses), ("REDIS_CLUSTER_ADDRESSES", cluster)] {
            if addresses.iter().any(|address| place(address).is_none()) {
                problems.add(name, "must be host:port");
            }
        }
        if !cluster.is_empty() && self.redis_address != DEFAULT_ADDRESS {
            problems.add("REDIS_CLUSTER_ADDRESSES", "and REDIS_ADDRESS exclude each other");
        }
        if self.redis_username.is_some() && self.redis_password.is_none() {
            problems.add("REDIS_PASSWORD", "is missing: a user needs one");
        }
        if self.redis_tls_skip_verify.0 && self.redis_tls_ca_certificate.is_some() {
            problems.add("REDIS_TLS_SKIP_VERIFY", "and REDIS_TLS_CA_CERTIFICATE exclude each other");
        }
        if self.redis_tls_certificate.is_some() != self.redis_tls_key.is_some() {
            problems.add("REDIS_TLS_CERTIFICATE", "and REDIS_TLS_KEY must stand together");
        }
        if self.redis_stream.is_empty() || self.redis_group.is_empty() {
            problems.add("REDIS_STREAM", "and REDIS_GROUP must not be empty");
        }
        // A live one gives its sign for an entry when that is between a third of this time and a second more old.
        if self.redis_claim_idle.as_secs() < 3 {
            problems.add("REDIS_CLAIM_IDLE", "must be at least 3 s");
        }
    }
}

impl RedisConfig {
    /// Where to begin: the one server, or some nodes of a cluster.
    pub fn servers(&self) -> Vec<(String, u16)> {
        match &self.redis_cluster_addresses {
            Some(list) if !list.is_empty() => list.iter().filter_map(|address| place(address)).collect(),
            _ => place(&self.redis_address).into_iter().collect(),
        }
    }
}

/// Host and port; an IPv6 address stands in brackets.
pub fn place(address: &str) -> Option<(String, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let plain = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = plain.unwrap_or(host);
    let fits =
        !host.is_empty() && !host.contains(['/', '@', ' ']) && (plain.is_some() || !host.contains(':'));
    fits.then_some((host.to_owned(), port.parse().ok()?))
}

fn default_address() -> String {
    DEFAULT_ADDRESS.to_owned()
}

fn default_stream() -> String {
    "triggermesh".to_owned()
}

fn default_group() -> String {
    "default".to_owned()
}

fn default_stream_max_len() -> u32 {
    1000
}

fn default_claim_idle() -> Duration {
    Duration::seconds(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_host_and_port() {
        let table = [
            ("0.0.0.0:6379", Some(("0.0.0.0", 6379))),
            ("redis:1", Some(("redis", 1))),
            ("[::1]:6379", Some(("::1", 6379))),
            ("::1:6379", None),
            ("redis", None),
            (":6379", None),
            ("redis:", None),
            ("redis:70000", None),
            ("redis://redis:6379", None),
            ("user@redis:6379", None),
        ];
        for (text, expected) in table {
            let expected = expected.map(|(host, port)| (host.to_owned(), port));
            assert_eq!(place(text), expected, "{text}");
        }
    }
}
