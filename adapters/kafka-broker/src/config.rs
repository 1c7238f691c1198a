//! The settings of kafka-broker: the names of the old image, and what is new.

use broker::settings::{BrokerSettings, DurableSettings};
use common::config::{Config, Duration, Flag, Pem, Problems, Secret};
use kafka::{
    Brokers, Connection, Mechanism, Watch,
    producer::{Compression, Writing},
    topic::RecordKey,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// The environment; the comments are the user's manual.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct KafkaConfig {
    /// What all brokers have.
    #[serde(flatten)]
    pub broker: BrokerSettings,
    /// What all brokers have whose events outlive them.
    #[serde(flatten)]
    pub durable: DurableSettings,
    /// Brokers to begin with, as `host:port,host:port`; the others are learned from them.
    #[schemars(example = "kafka.example.com:9092")]
    pub kafka_addresses: Brokers,
    /// Topic that the events are in. It is made when there is none.
    #[serde(default = "default_topic")]
    pub kafka_topic: String,
    /// Topic that the dead letters are in, with one partition and compacted; unset, `<KAFKA_TOPIC>.dead`. It is made when there
    /// is none.
    pub kafka_dead_letter_topic: Option<String>,
    /// What the name of each consumer group begins with; the trigger's name follows behind a dot. Brokers of other topics in the
    /// same cluster should have another one.
    #[serde(default = "default_prefix")]
    pub kafka_consumer_group_prefix: String,
    /// Attribute or extension that is the key of a record: events with the same one are in the same partition, and in order.
    /// An event without it has no key. `none`: no record has a key.
    #[serde(default = "default_key")]
    pub kafka_key: RecordKey,
    /// Partitions of the topic when it is made; unset, as many as the cluster makes by itself.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub kafka_topic_partitions: Option<i32>,
    /// Copies of both topics when they are made, each on a broker of its own; unset, as the cluster makes by itself.
    #[schemars(range(min = 1, max = 32767))]
    pub kafka_topic_replication_factor: Option<i32>,
    /// How records are compressed, those of the dead letters too. What is read may be compressed in any way.
    #[serde(default)]
    pub kafka_compression: Compression,
    /// How long a new event may take until all replicas in sync have it; then its sender is told to try again.
    #[serde(default = "ten_seconds")]
    pub kafka_produce_timeout: Duration,
    /// Time after which a process that is not heard of loses its partitions to others.
    #[serde(default = "ten_seconds")]
    pub kafka_session_timeout: Duration,
    /// Whether targets are told the place of the event in the topic, in the extension `triggermeshbackendid`.
    #[serde(default)]
    pub kafka_tracking_id_enabled: Flag,
    /// Whether the brokers want a user name and password (SASL).
    #[serde(default)]
    pub kafka_sasl_enable: Flag,
    /// How they are proved, with `KAFKA_SASL_ENABLE`. `GSSAPI` (Kerberos) is known and refused: this build has none.
    #[serde(default)]
    pub kafka_security_mechanisms: Mechanism,
    /// User name, with `KAFKA_SASL_ENABLE`.
    pub kafka_username: Option<String>,
    /// Password, with `KAFKA_SASL_ENABLE`.
    pub kafka_password: Option<Secret>,
    /// Whether the brokers speak TLS.
    #[serde(default)]
    pub kafka_tls_enable: Flag,
    /// Certificates, in PEM form, that are trusted instead of those of the system, with `KAFKA_TLS_ENABLE`.
    pub kafka_ca: Option<Pem>,
    /// Certificate of this client and its chain, in PEM form, with `KAFKA_TLS_ENABLE`; needs `KAFKA_CLIENT_KEY`.
    pub kafka_client_cert: Option<Pem>,
    /// Private key of that certificate, in PEM form, not encrypted.
    pub kafka_client_key: Option<Secret>,
    /// Whether the brokers' certificates are not looked at.
    #[serde(default)]
    pub kafka_skip_verify: Flag,
    /// File of certificates that are trusted as those of the system, when `KAFKA_CA` is not set.
    pub ssl_cert_file: Option<String>,
    /// Of Kerberos, which this build does not have.
    pub kafka_gssapi_service_name: Option<String>,
    /// Of Kerberos, which this build does not have.
    pub kafka_gssapi_realm: Option<String>,
    /// Of Kerberos, which this build does not have.
    pub kafka_gssapi_principal: Option<String>,
    /// Of Kerberos, which this build does not have.
    pub kafka_gssapi_keytab_path: Option<String>,
    /// Of Kerberos, which this build does not have.
    pub kafka_gssapi_kerberos_config_path: Option<String>,
}

/// What the family calls the settings, and what they are called here.
type Names = [(&'static str, &'static str); 15];

const fn names(topic: &'static str) -> Names {
    [
        ("TOPIC", topic),
        ("BOOTSTRAP_SERVERS", "KAFKA_ADDRESSES"),
        ("GROUP_ID", "the consumer group"),
        ("TOPIC_PARTITIONS", "KAFKA_TOPIC_PARTITIONS"),
        ("TOPIC_REPLICATION_FACTOR", "KAFKA_TOPIC_REPLICATION_FACTOR"),
        ("SASL_ENABLE", "KAFKA_SASL_ENABLE"),
        ("SECURITY_MECHANISMS", "KAFKA_SECURITY_MECHANISMS"),
        ("USERNAME", "KAFKA_USERNAME"),
        ("PASSWORD", "KAFKA_PASSWORD"),
        ("TLS_ENABLE", "KAFKA_TLS_ENABLE"),
        ("CA", "KAFKA_CA"),
        ("CLIENT_CERT", "KAFKA_CLIENT_CERT"),
        ("CLIENT_KEY", "KAFKA_CLIENT_KEY"),
        ("SKIP_VERIFY", "KAFKA_SKIP_VERIFY"),
        ("SSL_CERT_FILE", "SSL_CERT_FILE"),
    ]
}

const OF_EVENTS: Names = names("KAFKA_TOPIC");
const OF_LETTERS: Names = names("KAFKA_DEAD_LETTER_TOPIC");

/// What is said of the topic of the events.
pub fn watch() -> Watch {
    Watch::with_names(&OF_EVENTS)
}

/// What is said of the topic of the dead letters.
pub fn watch_of_letters() -> Watch {
    Watch::with_names(&OF_LETTERS)
}

impl Config for KafkaConfig {
    fn validate(&self, problems: &mut Problems) {
        self.broker.validate(problems);
        self.connection().validate_as(problems, &watch());
        let dead = self.dead_letter_topic();
        for (name, topic) in [("KAFKA_TOPIC", &self.kafka_topic), ("KAFKA_DEAD_LETTER_TOPIC", &dead)] {
            if !kafka::is_topic(topic) {
                problems
                    .add(name, "must be a name of letters, digits, '.', '_' and '-', at most 249 of them");
            }
        }
        if dead == self.kafka_topic {
            problems.add("KAFKA_DEAD_LETTER_TOPIC", "and KAFKA_TOPIC must differ");
        }
        if self.kafka_consumer_group_prefix.is_empty() {
            problems.add("KAFKA_CONSUMER_GROUP_PREFIX", "must not be empty");
        }
        for (name, time) in [
            ("KAFKA_PRODUCE_TIMEOUT", &self.kafka_produce_timeout),
            ("KAFKA_SESSION_TIMEOUT", &self.kafka_session_timeout),
        ] {
            if !(1000..=600_000).contains(&time.as_millis()) {
                problems.add(name, "must be from 1s to 10m");
            }
        }
        for (name, value) in [
            ("KAFKA_GSSAPI_SERVICE_NAME", &self.kafka_gssapi_service_name),
            ("KAFKA_GSSAPI_REALM", &self.kafka_gssapi_realm),
            ("KAFKA_GSSAPI_PRINCIPAL", &self.kafka_gssapi_principal),
            ("KAFKA_GSSAPI_KEYTAB_PATH", &self.kafka_gssapi_keytab_path),
            ("KAFKA_GSSAPI_KERBEROS_CONFIG_PATH", &self.kafka_gssapi_kerberos_config_path),
        ] {
            if value.is_some() {
                problems.add(
                    name,
                    "is not supported: Kerberos is no part of this build; use KAFKA_SASL_ENABLE with PLAIN, SCRAM-SHA-256 \
                     or SCRAM-SHA-512",
                );
            }
        }
    }
}

impl KafkaConfig {
    /// How to connect.
    pub fn connection(&self) -> Connection {
        Connection {
            bootstrap_servers: self.kafka_addresses.clone(),
            sasl_enable: self.kafka_sasl_enable,
            security_mechanisms: self.kafka_security_mechanisms,
            username: self.kafka_username.clone(),
            password: self.kafka_password.clone(),
            tls_enable: self.kafka_tls_enable,
            ca: self.kafka_ca.clone(),
            client_cert: self.kafka_client_cert.clone(),
            client_key: self.kafka_client_key.clone(),
            skip_verify: self.kafka_skip_verify,
            ssl_cert_file: self.ssl_cert_file.clone(),
            kerberos_config_path: None,
            kerberos_keytab_path: None,
            kerberos_service_name: None,
            kerberos_realm: None,
            kerberos_username: None,
            kerberos_password: None,
        }
    }

    /// How records are written. One request is out at a time: what comes meanwhile leaves with the next, and nothing waits
    /// while none is out.
    pub fn writing(&self) -> Writing {
        Writing {
            connection: self.connection(),
            client: env!("CARGO_PKG_NAME"),
            timeout: *self.kafka_produce_timeout,
            linger: std::time::Duration::ZERO,
            idempotent: true,
            compression: self.kafka_compression,
            // That of Kafka's own clients.
            partitioner: "murmur2_random",
            requests: 1,
        }
    }

    /// The topic of the dead letters.
    pub fn dead_letter_topic(&self) -> String {
        self.kafka_dead_letter_topic.clone().unwrap_or_else(|| format!("{}.dead", self.kafka_topic))
    }
}

fn default_topic() -> String {
    "triggermesh".to_owned()
}

fn default_prefix() -> String {
    "default".to_owned()
}

fn default_key() -> RecordKey {
    RecordKey::of("partitionkey")
}

fn ten_seconds() -> Duration {
    Duration::seconds(10)
}

#[cfg(test)]
mod tests {
    use common::config::of;

    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<KafkaConfig, String> {
        let base = [("KAFKA_ADDRESSES", "a:1,b:2")];
        of(&[&base, pairs].concat()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_names_of_old_and_what_they_mean() {
        let config = settings(&[("KAFKA_TOPIC", "orders"), ("KAFKA_TRACKING_ID_ENABLED", "true")]).unwrap();
        let found = (config.dead_letter_topic(), config.kafka_consumer_group_prefix.clone());
        assert_eq!(found, ("orders.dead".to_owned(), "default".to_owned()));
        assert_eq!(config.kafka_key, RecordKey::of("partitionkey"));
        let client = config.connection().client_config("me");
        assert_eq!(client.get("bootstrap.servers"), Some("a:1,b:2"));
        assert_eq!(settings(&[]).unwrap().kafka_topic, "triggermesh");
    }

    #[test]
    fn mistakes_are_named_as_they_are_set() {
        for (pairs, named) in [
            (
                &[("KAFKA_SASL_ENABLE", "true"), ("KAFKA_PASSWORD", "hunter2")][..],
                "KAFKA_USERNAME is missing: KAFKA_SASL_ENABLE",
            ),
            (
                &[("KAFKA_TLS_ENABLE", "true"), ("KAFKA_CLIENT_KEY", "hunter2")],
                "KAFKA_CLIENT_CERT is missing",
            ),
            (&[("KAFKA_GSSAPI_KEYTAB_PATH", "/k")], "KAFKA_GSSAPI_KEYTAB_PATH is not supported: Kerberos"),
            (
                &[("KAFKA_SASL_ENABLE", "true"), ("KAFKA_SECURITY_MECHANISMS", "GSSAPI")],
                "KAFKA_SECURITY_MECHANISMS must not be GSSAPI",
            ),
            (
                &[("KAFKA_TOPIC", "a"), ("KAFKA_DEAD_LETTER_TOPIC", "a")],
                "KAFKA_DEAD_LETTER_TOPIC and KAFKA_TOPIC",
            ),
            (&[("KAFKA_SESSION_TIMEOUT", "1h")], "KAFKA_SESSION_TIMEOUT must be from 1s to 10m"),
        ] {
            let problem = settings(pairs).expect_err("refused");
            assert!(problem.contains(named) && !problem.contains("hunter2"), "{pairs:?}: {problem}");
        }
    }
}
