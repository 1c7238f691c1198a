//! The environment of the CloudEvents target. The names down to the password's path are those of the original image.

use common::config::{Config, Duration, Flag, Pem, Problems, Secret, Url};
use http::Uri;
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the CloudEvents target.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct CloudEventsConfig {
    /// URL of the endpoint that events are POSTed to.
    pub cloudevents_url: Url,
    /// Path that is appended to that of the URL.
    pub cloudevents_path: Option<String>,
    /// User name for basic authentication; needs a password too.
    pub cloudevents_basicauth_username: Option<String>,
    /// File with the password, read again when it changes. While it is absent or empty nothing is sent.
    pub cloudevents_basicauth_password_path: Option<String>,
    /// Password, in place of the file.
    pub cloudevents_basicauth_password: Option<Secret>,
    /// Certificates, in PEM form, that are trusted instead of those of the system; wins over `CLOUDEVENTS_SKIP_VERIFY`.
    pub cloudevents_ca_certificate: Option<Pem>,
    /// Whether the endpoint's certificate is not looked at.
    #[serde(default)]
    pub cloudevents_skip_verify: Flag,
    /// Time that one request may take, its answer included.
    #[serde(default = "default_timeout")]
    pub cloudevents_timeout: Duration,
    /// Largest answer that is read, in bytes.
    #[serde(default = "default_max_response_bytes")]
    #[schemars(range(min = 1024, max = 1_073_741_824))]
    pub cloudevents_max_response_bytes: usize,
}

impl Config for CloudEventsConfig {
    fn validate(&self, problems: &mut Problems) {
        let passwords = [
            ("CLOUDEVENTS_BASICAUTH_PASSWORD", self.cloudevents_basicauth_password.is_some()),
            ("CLOUDEVENTS_BASICAUTH_PASSWORD_PATH", self.cloudevents_basicauth_password_path.is_some()),
        ];
        let given: Vec<_> = passwords.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| *name).collect();
        match (&self.cloudevents_basicauth_username, given.as_slice()) {
            (None, [name, ..]) => {
                problems.add("CLOUDEVENTS_BASICAUTH_USERNAME", format_args!("is missing: {name} is set"));
            }
            (Some(_), []) => problems.add(
                "CLOUDEVENTS_BASICAUTH_PASSWORD_PATH",
                "is missing: CLOUDEVENTS_BASICAUTH_USERNAME is set (CLOUDEVENTS_BASICAUTH_PASSWORD will do as well)",
            ),
            _ => {}
        }
        if given.len() == 2 {
            problems.add(
                "CLOUDEVENTS_BASICAUTH_PASSWORD",
                "and CLOUDEVENTS_BASICAUTH_PASSWORD_PATH must not both be set",
            );
        }
        if self.cloudevents_basicauth_username.as_ref().is_some_and(|name| name.contains(':')) {
            problems.add("CLOUDEVENTS_BASICAUTH_USERNAME", "must not hold a colon (RFC 7617, section 2)");
        }
        if self.cloudevents_timeout.is_zero() {
            problems.add("CLOUDEVENTS_TIMEOUT", "must be longer than 0");
        }
    }
}

impl CloudEventsConfig {
    /// Where events go: the URL with the path behind its own, its query kept.
    pub fn endpoint(&self) -> Uri {
        let path = self.cloudevents_path.as_deref().map(|path| path.trim_start_matches('/'));
        let Some(path) = path.filter(|path| !path.is_empty()) else { return self.cloudevents_url.to_uri() };
        let mut url = (*self.cloudevents_url).clone();
        // `url` encodes what cannot stand in a path, question marks and fragments among it, so the result is a URI.
        url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
        url.as_str().parse().unwrap_or_else(|_| self.cloudevents_url.to_uri())
    }
}

fn default_timeout() -> Duration {
    Duration::seconds(30)
}

fn default_max_response_bytes() -> usize {
    8 << 20
}

#[cfg(test)]
mod tests {
    use common::config::of;

    use super::*;

    fn with(settings: &[(&str, &str)]) -> Result<CloudEventsConfig, Vec<String>> {
        of(settings).map_err(|error| error.problems)
    }

    #[test]
    fn the_path_stands_behind_that_of_the_url() {
        for (url, path, expected) in [
            ("http://h", "", "http://h/"),
            ("http://h", "/", "http://h/"),
            ("http://h", "events", "http://h/events"),
            ("http://h/", "/events/", "http://h/events/"),
            ("http://h/base", "/events", "http://h/base/events"),
            ("http://h/base/?a=1", "events", "http://h/base/events?a=1"),
            ("http://h/base?a=1", "a b?c#d", "http://h/base/a%20b%3Fc%23d?a=1"),
        ] {
            let config = with(&[("CLOUDEVENTS_URL", url), ("CLOUDEVENTS_PATH", path)]).expect("valid");
            assert_eq!(config.endpoint().to_string(), expected, "{url} and {path}");
        }
    }

    #[test]
    fn credentials_are_complete_or_refused() {
        let url = ("CLOUDEVENTS_URL", "http://h");
        let user = ("CLOUDEVENTS_BASICAUTH_USERNAME", "user");
        let password = ("CLOUDEVENTS_BASICAUTH_PASSWORD", "secret");
        let path = ("CLOUDEVENTS_BASICAUTH_PASSWORD_PATH", "/opt/basicauths/cesource");
        for (settings, problems) in [
            (vec![url], 0),
            (vec![url, user, password], 0),
            (vec![url, user, path], 0),
            (vec![url, user], 1),
            (vec![url, password], 1),
            (vec![url, path], 1),
            (vec![url, user, password, path], 1),
            (vec![url, password, path], 2),
        ] {
            let found = with(&settings).map_or_else(|problems| problems.len(), |_| 0);
            assert_eq!(found, problems, "{settings:?}");
        }
    }
}
