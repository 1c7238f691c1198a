//! The environment of the webhook source. The names up to CORS are those of the original image.

use std::{collections::BTreeSet, fmt};

use common::config::{Config, Parse, Problems, Secret};
use http::{HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the webhook source.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct WebhookConfig {
    /// Type of the events.
    pub webhook_event_type: String,
    /// Source of the events, a URI reference.
    pub webhook_event_source: String,
    /// Parts of the request that become extensions: a list of `method`, `path`, `host`, `queries` and `headers`.
    #[serde(default)]
    pub webhook_event_extension_attributes_from: RequestParts,
    /// User name that callers must give (basic authentication); needs the password too.
    pub webhook_basicauth_username: Option<String>,
    /// Password that callers must give.
    pub webhook_basicauth_password: Option<Secret>,
    /// Value of `Access-Control-Allow-Origin` on every answer; with it, preflight requests are answered.
    pub webhook_cors_allow_origin: Option<String>,
    /// Key of the HMAC-SHA256 over the body that callers must send; without it bodies are not checked.
    pub webhook_signature_secret: Option<Secret>,
    /// Header with that HMAC, in hexadecimal (also behind `sha256=`) or base64.
    #[serde(default = "default_signature_header")]
    pub webhook_signature_header: String,
}

impl Config for WebhookConfig {
    fn validate(&self, problems: &mut Problems) {
        match (&self.webhook_basicauth_username, &self.webhook_basicauth_password) {
            (Some(_), None) => {
                problems.add("WEBHOOK_BASICAUTH_PASSWORD", "is missing: WEBHOOK_BASICAUTH_USERNAME is set");
            }
            (None, Some(_)) => {
                problems.add("WEBHOOK_BASICAUTH_USERNAME", "is missing: WEBHOOK_BASICAUTH_PASSWORD is set");
            }
            _ => {}
        }
        if HeaderName::try_from(&self.webhook_signature_header).is_err() {
            problems.add("WEBHOOK_SIGNATURE_HEADER", "must be the name of a header");
        }
        if self
            .webhook_cors_allow_origin
            .as_ref()
            .is_some_and(|origin| HeaderValue::from_str(origin).is_err())
        {
            problems.add("WEBHOOK_CORS_ALLOW_ORIGIN", "must be an origin such as https://example.com, or *");
        }
        if let Err(error) =
            common::Event::new("id", self.webhook_event_source.as_str(), self.webhook_event_type.as_str())
        {
            problems.add(
                "WEBHOOK_EVENT_TYPE",
                format_args!("and WEBHOOK_EVENT_SOURCE must suit an event: {error}"),
            );
        }
    }
}

fn default_signature_header() -> String {
    "X-Hub-Signature-256".to_owned()
}

/// A part of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequestPart {
    Method,
    Path,
    Host,
    Queries,
    Headers,
}

const PARTS: [(&str, RequestPart); 5] = [
    ("method", RequestPart::Method),
    ("path", RequestPart::Path),
    ("host", RequestPart::Host),
    ("queries", RequestPart::Queries),
    ("headers", RequestPart::Headers),
];

/// Parts of the request, a comma-separated list.
#[derive(Debug, Clone, Default)]
pub struct RequestParts(pub BTreeSet<RequestPart>);

impl Parse for RequestParts {
    const FORMAT: &'static str = "request-parts";
    const EXPECTED: &'static str = "a list of method, path, host, queries and headers";

    fn parse(text: &str) -> Result<Self, String> {
        let part = |name: &str| PARTS.iter().find(|(known, _)| *known == name.trim()).map(|(_, part)| *part);
        let parts: Option<_> = text.split(',').map(part).collect();
        parts.map(Self).ok_or_else(|| format!("must be {}", Self::EXPECTED))
    }
}

impl fmt::Display for RequestParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chosen = PARTS.iter().filter(|(_, part)| self.0.contains(part)).map(|(name, _)| *name);
        f.write_str(&chosen.collect::<Vec<_>>().join(","))
    }
}

common::config_type!(RequestParts);
