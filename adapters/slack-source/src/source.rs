//! Receives requests of Slack's Events API: the signature first, then the event.
//!
//! Facts: Slack documentation, "Events API" (handshake, retries, three seconds for an answer) and "Verifying requests from
//! Slack".

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use common::{
    Adapter, Answer, Field, Info, Kind, Received, Role, Scaling, WebhookSource,
    adapter::{answer, text_answer},
    config::ConfigError,
};
use http::{HeaderValue, Request, StatusCode, header};

use crate::{
    config::SlackConfig,
    event::{self, Call},
    signature,
};

/// The Slack source.
pub struct Slack {
    config: SlackConfig,
}

impl Adapter for Slack {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Source,
        component: "slacksource",
        resource_group: "slacksources.sources.triggermesh.io",
        images: &["slacksource-adapter"],
        emits: &[event::EVENT_TYPE],
        accepts: &[],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "sources.triggermesh.io",
            version: "v1alpha1",
            kind: "SlackSource",
            constants: &[],
            fields: &[
                Field::new("appID", "SLACK_APP_ID"),
                Field::new("signingSecret", "SLACK_SIGNING_SECRET").secret(),
            ],
        }],
    };
    type Config = SlackConfig;

    fn new(config: SlackConfig) -> Result<Self, ConfigError> {
        if config.slack_signing_secret.is_none() {
            tracing::warn!(
                "SLACK_SIGNING_SECRET is not set: requests are not checked, and whoever reaches this address can make \
                 events"
            );
        }
        Ok(Self { config })
    }
}

impl WebhookSource for Slack {
    /// Slack waits for three seconds.
    const DEADLINE: Duration = Duration::from_millis(2500);
    /// Slack sends an event again at once, after a minute and after five; these are several minutes of a busy workspace.
    const REMEMBERED: usize = 16_384;

    async fn receive(&self, request: Request<Bytes>) -> Received {
        if let Err(reason) = self.verify(&request) {
            return Received::Answer(text_answer(StatusCode::UNAUTHORIZED, reason));
        }
        match event::read(request.body()) {
            Ok(Call::Verification { answer }) => {
                let mut handshake = Answer::new(answer.to_string().into());
                let json = HeaderValue::from_static("application/json");
                handshake.headers_mut().insert(header::CONTENT_TYPE, json);
                Received::Answer(handshake)
            }
            Ok(Call::Event { app, event }) if self.is_wanted(&app) => {
                let number = request.headers().get("x-slack-retry-num").and_then(|value| value.to_str().ok());
                if let Some(number) = number {
                    tracing::debug!(event_id = event.id(), number, "slack sends an event again");
                }
                Received::Events(vec![event], answer(StatusCode::OK))
            }
            Ok(Call::Event { .. }) => Received::Answer(answer(StatusCode::OK)),
            Ok(Call::Other(request_type)) => {
                other(&request_type);
                Received::Answer(answer(StatusCode::OK))
            }
            Err(problem) => Received::Answer(text_answer(StatusCode::BAD_REQUEST, problem)),
        }
    }
}

impl Slack {
    fn verify(&self, request: &Request<Bytes>) -> Result<(), &'static str> {
        let Some(secret) = &self.config.slack_signing_secret else { return Ok(()) };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        signature::verify(secret.read().as_bytes(), request.headers(), request.body(), now)
    }

    fn is_wanted(&self, app: &str) -> bool {
        self.config.slack_app_id.as_deref().is_none_or(|wanted| wanted == app)
    }
}

/// Tells of a request that is no event.
fn other(request_type: &str) {
    if request_type == "app_rate_limited" {
        tracing::warn!("slack leaves events of this app out: there were too many (app_rate_limited)");
    } else {
        let shown: String = request_type.chars().take(64).collect();
        tracing::warn!(request_type = shown, "slack sent a request that is no event");
    }
}
