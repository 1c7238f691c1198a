//! How a connection is made and secured: the settings that all adapters of Kafka have, and what librdkafka makes of them
//! (<https://github.com/confluentinc/librdkafka/blob/v2.12.1/CONFIGURATION.md>).

#[cfg(test)]
mod tests;

use std::fmt;

use common::config::{Flag, Parse, Pem, Problems, Secret};
use rdkafka::{ClientConfig, config::RDKafkaLogLevel};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Watch;

/// The settings; put into an adapter's own with `#[serde(flatten)]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Connection {
    /// Brokers to begin with, as `host:port,host:port`; the others are learned from them.
    #[schemars(example = "kafka.example.com:9092")]
    pub bootstrap_servers: Brokers,
    /// Whether the brokers want a user name and password (SASL).
    #[serde(default)]
    pub sasl_enable: Flag,
    /// How they are proved, with `SASL_ENABLE`. `GSSAPI` (Kerberos) is known and refused: this build has none.
    #[serde(default)]
    pub security_mechanisms: Mechanism,
    /// User name, with `SASL_ENABLE`.
    pub username: Option<String>,
    /// Password, with `SASL_ENABLE`.
    pub password: Option<Secret>,
    /// Whether the brokers speak TLS.
    #[serde(default)]
    pub tls_enable: Flag,
    /// Certificates, in PEM form, that are trusted instead of those of the system, with `TLS_ENABLE`.
    pub ca: Option<Pem>,
    /// Certificate of this client and its chain, in PEM form, with `TLS_ENABLE`; needs `CLIENT_KEY`.
    pub client_cert: Option<Pem>,
    /// Private key of that certificate, in PEM form, not encrypted.
    pub client_key: Option<Secret>,
    /// Whether the brokers' certificates are not looked at.
    #[serde(default)]
    pub skip_verify: Flag,
    /// File of certificates that are trusted as those of the system, when `CA` is not set.
    pub ssl_cert_file: Option<String>,
    /// Of Kerberos, which this build does not have.
    pub kerberos_config_path: Option<String>,
    /// Of Kerberos, which this build does not have.
    pub kerberos_keytab_path: Option<String>,
    /// Of Kerberos, which this build does not have.
    pub kerberos_service_name: Option<String>,
    /// Of Kerberos, which this build does not have.
    pub kerberos_realm: Option<String>,
    /// Of Kerberos, which this build does not have.
    pub kerberos_username: Option<String>,
    /// Of Kerberos, which this build does not have.
    pub kerberos_password: Option<Secret>,
}

/// How a client proves who it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Mechanism {
    #[default]
    #[serde(rename = "PLAIN")]
    Plain,
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
    #[serde(rename = "GSSAPI")]
    Gssapi,
}

impl Mechanism {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
            Self::Gssapi => "GSSAPI",
        }
    }
}

impl Connection {
    /// Adds what is wrong between the settings.
    pub fn validate(&self, problems: &mut Problems) {
        self.validate_as(problems, &Watch::default());
    }

    /// The same, where the settings have the names that the watch knows.
    pub fn validate_as(&self, problems: &mut Problems, names: &Watch) {
        let mut add = |name: &str, problem: &str| problems.add(&names.named(name), names.named(problem));
        if self.sasl_enable.0 {
            if self.security_mechanisms == Mechanism::Gssapi {
                add(
                    "SECURITY_MECHANISMS",
                    "must not be GSSAPI: Kerberos is no part of this build; use PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
                );
            } else {
                for (name, is_set) in
                    [("USERNAME", self.username.is_some()), ("PASSWORD", self.password.is_some())]
                {
                    if !is_set {
                        add(name, "is missing: SASL_ENABLE is true");
                    }
                }
            }
        }
        if self.tls_enable.0 {
            match (&self.client_cert, &self.client_key) {
                (Some(_), None) => add("CLIENT_KEY", "is missing: CLIENT_CERT is set"),
                (None, Some(_)) => add("CLIENT_CERT", "is missing: CLIENT_KEY is set"),
                (Some(_), Some(key)) if PrivateKeyDer::from_pem_slice(key.read().as_bytes()).is_err() => {
                    add("CLIENT_KEY", "must be a private key in PEM form, not encrypted");
                }
                _ => {}
            }
        }
    }

    /// The configuration of a client; secrets are read now. `name` is what the brokers see in their logs and quotas.
    #[must_use]
    pub fn client_config(&self, name: &str) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("client.id", name)
            .set("bootstrap.servers", self.bootstrap_servers.to_string())
            .set("allow.auto.create.topics", "false")
            .set("socket.keepalive.enable", "true")
            // Idle connections that a broker closes are no failure.
            .set("log.connection.close", "false")
            .set("reconnect.backoff.max.ms", "2000")
            .set_log_level(RDKafkaLogLevel::Warning);
        let (tls, sasl) = (self.tls_enable.0, self.sasl_enable.0);
        let protocol = match (tls, sasl) {
            (false, false) => "plaintext",
            (false, true) => "sasl_plaintext",
            (true, false) => "ssl",
            (true, true) => "sasl_ssl",
        };
        config.set("security.protocol", protocol);
        if sasl {
            config.set("sasl.mechanism", self.security_mechanisms.name());
            config.set("sasl.username", self.username.as_deref().unwrap_or_default());
            config.set("sasl.password", &*self.password.as_ref().map(Secret::read).unwrap_or_default());
        }
        if tls {
            self.secure(&mut config);
        }
        config
    }

    fn secure(&self, config: &mut ClientConfig) {
        match (&self.ca, &self.ssl_cert_file) {
            (Some(ca), _) => config.set("ssl.ca.pem", &ca.0),
            (None, Some(file)) => config.set("ssl.ca.location", file),
            // Where the distributions keep them: the OpenSSL inside was built elsewhere.
            (None, None) => config.set("ssl.ca.location", "probe"),
        };
        if let (Some(certificate), Some(key)) = (&self.client_cert, &self.client_key) {
            config.set("ssl.certificate.pem", &certificate.0).set("ssl.key.pem", &*key.read());
        }
        if self.skip_verify.0 {
            config.set("enable.ssl.certificate.verification", "false");
            config.set("ssl.endpoint.identification.algorithm", "none");
        }
    }

    /// What the secrets are now, to find out whether they have changed.
    #[must_use]
    pub fn secrets(&self) -> impl PartialEq + Send + Sync + use<> {
        [&self.password, &self.client_key].map(|secret| secret.as_ref().map(Secret::read))
    }
}

/// A list of brokers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brokers(Vec<String>);

impl Parse for Brokers {
    const FORMAT: &'static str = "brokers";
    const EXPECTED: &'static str = "a list host:port,host:port";

    fn parse(text: &str) -> Result<Self, String> {
        let brokers: Vec<_> =
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
        if !brokers.is_empty() && brokers.iter().all(|broker| is_broker(broker)) {
            Ok(Self(brokers))
        } else {
            Err(format!("must be {}", Self::EXPECTED))
        }
    }
}

/// A name or address, IPv6 in brackets, and a port, which may be left out (9092).
fn is_broker(text: &str) -> bool {
    let is_host = |host: &str| {
        !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
    };
    let rest = if let Some(bracketed) = text.strip_prefix('[') {
        let Some((address, rest)) = bracketed.split_once(']') else { return false };
        if address.parse::<std::net::Ipv6Addr>().is_err() {
            return false;
        }
        rest
    } else {
        let (host, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
        if !is_host(host) {
            return false;
        }
        rest
    };
    rest.is_empty()
        || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

impl fmt::Display for Brokers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

common::config_type!(Brokers);
