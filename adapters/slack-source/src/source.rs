//! Receives requests of slack: credentials first, then the event. Name the vendor's documentation here.

use bytes::Bytes;
use common::{
    Adapter, Event, Field, Info, InvalidEvent, Kind, Received, Role, Scaling, WebhookSource,
    adapter::{answer, text_answer},
    config::ConfigError,
    credentials, event,
};
use http::{HeaderMap, Request, StatusCode, header};

use crate::config::SlackConfig;

/// Takes each request of the vendor as one event.
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
        images: &[],
        emits: &["{SLACK_EVENT_TYPE}"],
        accepts: &[],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "sources.triggermesh.io",
            version: "v1alpha1",
            kind: "SlackSource",
            constants: &[],
            fields: &[
                Field::new("eventType", "SLACK_EVENT_TYPE"),
                Field::new("eventSource", "SLACK_EVENT_SOURCE").or("{namespace}.{name}"),
                Field::new("token", "SLACK_TOKEN").secret(),
            ],
        }],
    };
    type Config = SlackConfig;

    fn new(config: Self::Config) -> Result<Self, ConfigError> {
        Ok(Self { config })
    }
}

impl WebhookSource for Slack {
    async fn receive(&self, request: Request<Bytes>) -> Received {
        if !self.is_genuine(request.headers()) {
            return Received::Answer(answer(StatusCode::UNAUTHORIZED));
        }
        match self.event(&request) {
            Ok(event) => Received::Events(vec![event], answer(StatusCode::NO_CONTENT)),
            Err(error) => Received::Answer(text_answer(StatusCode::BAD_REQUEST, error.to_string())),
        }
    }
}

impl Slack {
    /// A vendor that signs its requests is checked by its signature instead.
    fn is_genuine(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.config.slack_token else { return true };
        let bearer =
            headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let token = token.read();
        bearer.is_some_and(|bearer| {
            !token.is_empty() && credentials::equal(bearer.as_bytes(), token.as_bytes())
        })
    }

    /// Where the vendor numbers its deliveries, that number is the event's id: it stays the same when sent again.
    fn event(&self, request: &Request<Bytes>) -> Result<Event, InvalidEvent> {
        let config = &self.config;
        let mut event = Event::new(
            event::new_id(),
            config.slack_event_source.as_str(),
            config.slack_event_type.as_str(),
        )?;
        event.set("time", event::now())?;
        if let Some(content_type) =
            request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok())
        {
            event.set("datacontenttype", content_type)?;
        }
        event.replace_data(Some(request.body().clone()));
        Ok(event)
    }
}
