//! The environment of the HTTP poller. All names but the last two are those of the original image.

use common::{
    Event,
    config::{Config, Duration, Flag, Pairs, Pem, Problems, Secret, Url, Verb},
};
use http::{HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the HTTP poller.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct HttpPollerConfig {
    /// Type of the events.
    pub httppoller_event_type: String,
    /// Source of the events, a URI reference.
    pub httppoller_event_source: String,
    /// URL that is asked.
    pub httppoller_endpoint: Url,
    /// Method of the requests; they have no body. Only with `GET` is an answer known to be nothing new.
    pub httppoller_method: Verb,
    /// Time from the beginning of one poll to the next, such as `20s`.
    #[schemars(example = "1m")]
    pub httppoller_interval: Duration,
    /// Headers of every request, as `name:value,name:value`.
    #[serde(default)]
    pub httppoller_headers: Pairs,
    /// Whether the endpoint's certificate is not looked at.
    #[serde(default)]
    pub httppoller_skip_verify: Flag,
    /// Certificates, in PEM form, that are trusted instead of those of the system; wins over `HTTPPOLLER_SKIP_VERIFY`.
    pub httppoller_ca_certificate: Option<Pem>,
    /// User name for basic authentication.
    pub httppoller_basicauth_username: Option<String>,
    /// Password for basic authentication.
    pub httppoller_basicauth_password: Option<Secret>,
    /// Time that one request may take, its answer included.
    #[serde(default = "default_timeout")]
    pub httppoller_timeout: Duration,
    /// Largest answer that is read, in bytes; a larger one is a failed poll.
    #[serde(default = "default_max_response_bytes")]
    #[schemars(range(min = 1024, max = 1_073_741_824))]
    pub httppoller_max_response_bytes: usize,
}

impl Config for HttpPollerConfig {
    fn validate(&self, problems: &mut Problems) {
        let intervals = [
            ("HTTPPOLLER_INTERVAL", self.httppoller_interval),
            ("HTTPPOLLER_TIMEOUT", self.httppoller_timeout),
        ];
        for (name, _) in intervals.iter().filter(|(_, duration)| duration.is_zero()) {
            problems.add(name, "must be longer than 0");
        }
        if self.httppoller_basicauth_username.as_ref().is_some_and(|name| name.contains(':')) {
            problems.add("HTTPPOLLER_BASICAUTH_USERNAME", "must not hold a colon (RFC 7617, section 2)");
        }
        for (name, value) in &self.httppoller_headers.0 {
            if HeaderName::try_from(name).is_err() || HeaderValue::try_from(value).is_err() {
                problems
                    .add("HTTPPOLLER_HEADERS", format_args!("holds a header '{name}' that cannot be sent"));
            }
        }
        let (source, event_type) =
            (self.httppoller_event_source.as_str(), self.httppoller_event_type.as_str());
        if let Err(error) = Event::new("id", source, event_type) {
            problems.add(
                "HTTPPOLLER_EVENT_TYPE",
                format_args!("and HTTPPOLLER_EVENT_SOURCE must suit an event: {error}"),
            );
        }
    }
}

fn default_timeout() -> Duration {
    Duration::seconds(30)
}

fn default_max_response_bytes() -> usize {
    8 << 20
}

#[cfg(test)]
pub mod tests {
    use common::config::{ConfigError, of};

    use super::*;

    /// A configuration with these settings over the least that there must be.
    pub fn config(settings: &[(&str, &str)]) -> Result<HttpPollerConfig, ConfigError> {
        let least = [
            ("HTTPPOLLER_EVENT_TYPE", "t"),
            ("HTTPPOLLER_EVENT_SOURCE", "/s"),
            ("HTTPPOLLER_ENDPOINT", "http://h/x?k=1"),
            ("HTTPPOLLER_METHOD", "GET"),
            ("HTTPPOLLER_INTERVAL", "20s"),
        ];
        of(&[&least, settings].concat())
    }

    #[test]
    fn what_the_schema_cannot_see_is_refused() {
        for (settings, problems) in [
            (&[][..], 0),
            (&[("HTTPPOLLER_BASICAUTH_PASSWORD", "hunter2")], 0),
            (&[("HTTPPOLLER_HEADERS", "Accept:a, b,X-Date:Mon, 02 Jan 2006 15:04:05 GMT")], 0),
            (&[("HTTPPOLLER_INTERVAL", "0s")], 1),
            (&[("HTTPPOLLER_INTERVAL", "-1s")], 1),
            (&[("HTTPPOLLER_INTERVAL", "5")], 1),
            (&[("HTTPPOLLER_METHOD", "get")], 1),
            (&[("HTTPPOLLER_HEADERS", "A:\u{1},B:\u{2}")], 2),
            (&[("HTTPPOLLER_ENDPOINT", "http://user:hunter2@h/")], 1),
            (&[("HTTPPOLLER_CA_CERTIFICATE", "hunter2")], 1),
            (
                &[
                    ("HTTPPOLLER_BASICAUTH_USERNAME", "a:b"),
                    ("HTTPPOLLER_TIMEOUT", "0"),
                    ("HTTPPOLLER_EVENT_SOURCE", "\u{1}"),
                ],
                3,
            ),
        ] {
            let found = config(settings).map_or_else(|error| error.problems, |_| Vec::new());
            assert_eq!(found.len(), problems, "{settings:?}: {found:?}");
            assert!(!found.concat().contains("hunter2"), "{found:?}");
        }
    }
}
