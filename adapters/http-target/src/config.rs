//! The environment of the HTTP target. The names down to the OAuth scope are those of the original image.

use common::{
    Event,
    config::{Config, Duration, Flag, List, Pairs, Pem, Problems, Secret, Url, Verb},
};
use http::{HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the HTTP target.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct HttpConfig {
    /// Type of the reply events.
    pub http_event_type: String,
    /// Source of the reply events, a URI reference.
    pub http_event_source: String,
    /// URL that is called.
    pub http_url: Url,
    /// Method of the requests.
    pub http_method: Verb,
    /// Headers of every request, as `name:value,name:value`.
    #[serde(default)]
    pub http_headers: Pairs,
    /// Whether the endpoint's certificate is not looked at.
    #[serde(default)]
    pub http_skip_verify: Flag,
    /// Certificates, in PEM form, that are trusted instead of those of the system; wins over `HTTP_SKIP_VERIFY`.
    pub http_ca_certificate: Option<Pem>,
    /// User name for basic authentication.
    pub http_basicauth_username: Option<String>,
    /// Password for basic authentication.
    pub http_basicauth_password: Option<Secret>,
    /// Client id for OAuth 2.0 with client credentials; needs the secret and the token URL too.
    pub http_oauth_client_id: Option<String>,
    /// Client secret for OAuth 2.0.
    pub http_oauth_client_secret: Option<Secret>,
    /// URL that tokens are fetched from.
    pub http_oauth_token_url: Option<Url>,
    /// Scopes that are asked for, separated by commas.
    pub http_oauth_scope: Option<List>,
    /// Whether a `body` that is a JSON string is sent as its text; else it is sent as JSON, with quotes and escapes.
    #[serde(default)]
    pub http_body_unquote: Flag,
    /// Time that one request may take, its answer included.
    #[serde(default = "default_timeout")]
    pub http_timeout: Duration,
    /// Largest answer that is read, in bytes.
    #[serde(default = "default_max_response_bytes")]
    #[schemars(range(min = 1024, max = 1_073_741_824))]
    pub http_max_response_bytes: usize,
}

impl HttpConfig {
    /// Whether any setting of basic authentication is there.
    pub fn has_basic(&self) -> bool {
        self.http_basicauth_username.is_some() || self.http_basicauth_password.is_some()
    }
}

impl Config for HttpConfig {
    fn validate(&self, problems: &mut Problems) {
        let oauth = [
            ("HTTP_OAUTH_CLIENT_ID", self.http_oauth_client_id.is_some()),
            ("HTTP_OAUTH_CLIENT_SECRET", self.http_oauth_client_secret.is_some()),
            ("HTTP_OAUTH_TOKEN_URL", self.http_oauth_token_url.is_some()),
            ("HTTP_OAUTH_SCOPE", self.http_oauth_scope.is_some()),
        ];
        if let Some((given, _)) = oauth.iter().find(|(_, is_set)| *is_set) {
            for (name, _) in oauth.iter().take(3).filter(|(_, is_set)| !is_set) {
                problems.add(name, format_args!("is missing: {given} is set"));
            }
            if self.has_basic() {
                problems.add(
                    "HTTP_BASICAUTH_USERNAME",
                    format_args!("and {given} must not both be set: choose one"),
                );
            }
        }
        if self.http_basicauth_username.as_ref().is_some_and(|name| name.contains(':')) {
            problems.add("HTTP_BASICAUTH_USERNAME", "must not hold a colon (RFC 7617, section 2)");
        }
        for (name, value) in &self.http_headers.0 {
            if HeaderName::try_from(name).is_err() || HeaderValue::try_from(value).is_err() {
                problems.add("HTTP_HEADERS", format_args!("holds a header '{name}' that cannot be sent"));
            }
        }
        if let Err(error) = Event::new("id", self.http_event_source.as_str(), self.http_event_type.as_str()) {
            problems
                .add("HTTP_EVENT_TYPE", format_args!("and HTTP_EVENT_SOURCE must suit an event: {error}"));
        }
        if self.http_timeout.is_zero() {
            problems.add("HTTP_TIMEOUT", "must be longer than 0");
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
mod tests {
    use common::config::of;

    use super::*;

    #[test]
    fn credentials_of_two_kinds_or_half_of_one_are_refused_all_at_once() {
        let id = ("HTTP_OAUTH_CLIENT_ID", "id");
        let secret = ("HTTP_OAUTH_CLIENT_SECRET", "hunter2");
        let url = ("HTTP_OAUTH_TOKEN_URL", "http://h/token");
        let user = ("HTTP_BASICAUTH_USERNAME", "user");
        for (settings, problems) in [
            (vec![], 0),
            (vec![user], 0),
            (vec![id, secret, url], 0),
            (vec![id], 2),
            (vec![("HTTP_OAUTH_SCOPE", "a,b")], 3),
            (vec![id, secret, url, user], 1),
            (vec![secret, user], 3),
            (vec![secret, user, ("HTTP_HEADERS", "A:\u{1}"), ("HTTP_TIMEOUT", "0")], 5),
        ] {
            let base = [
                ("HTTP_EVENT_TYPE", "t"),
                ("HTTP_EVENT_SOURCE", "/s"),
                ("HTTP_URL", "http://h"),
                ("HTTP_METHOD", "POST"),
            ];
            let found = of::<HttpConfig>(&[&base[..], &settings].concat())
                .map_or_else(|error| error.problems, |_| Vec::new());
            assert_eq!(found.len(), problems, "{settings:?}: {found:?}");
            assert!(!found.concat().contains("hunter2"), "{found:?}");
        }
    }
}
