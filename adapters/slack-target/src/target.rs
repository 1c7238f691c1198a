//! One call of Slack's Web API for each event, with one attempt; the caller holds the event and tries again.
//!
//! Facts: Slack documentation, "Using the Slack Web API" (a bearer token, JSON in the body, `ok` in the answer).

use bytes::Bytes;
use common::{
    Adapter, Context, Error, Event, Field, Info, Kind, Reply, Role, Scaling, Span, Target,
    config::ConfigError,
    http::{Client, ClientError, Problem, Roots},
};
use http::{HeaderValue, Method, Request, Uri, header};

use crate::{
    config::SlackConfig,
    convert::{self, Call},
    event::{self, REPLY_TYPE},
};

/// Where Slack is.
const API: &str = "https://slack.com/api";
/// Largest answer that is read; Slack repeats the message in it.
const ANSWER_BYTES: usize = 2 << 20;

/// The Slack target.
pub struct Slack {
    config: SlackConfig,
    client: Client,
    /// The URL of the API without a slash at its end.
    api: String,
}

impl Adapter for Slack {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Target,
        component: "slacktarget",
        resource_group: "slacktargets.targets.triggermesh.io",
        images: &["slacktarget-adapter"],
        emits: &[REPLY_TYPE],
        accepts: &convert::EVENT_TYPES,
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "targets.triggermesh.io",
            version: "v1alpha1",
            kind: "SlackTarget",
            constants: &[],
            fields: &[
                Field::new("token", "SLACK_TOKEN").secret(),
                Field::new("response.eventSource", "SLACK_EVENT_SOURCE")
                    .or("io.triggermesh.slacktarget.{namespace}.{name}"),
            ],
        }],
    };
    type Config = SlackConfig;

    fn new(config: SlackConfig) -> Result<Self, ConfigError> {
        let api = config.slack_api_url.as_ref().map_or(API, |url| url.as_str());
        let api = api.trim_end_matches('/').to_owned();
        Ok(Self { config, client: Client::new(Roots::Process), api })
    }
}

impl Target for Slack {
    async fn handle(&self, event: Event, context: &Context) -> Result<Reply, Error> {
        let call = convert::call(&event)?;
        let mut span = context.trace.request("call");
        let request = self.request(call, &mut span)?;
        let answer = self.client.send(request, *self.config.slack_timeout, ANSWER_BYTES).await;
        span.answered(answer.as_ref().map_or_else(|error| error.status, |answer| Some(answer.status())));
        let answer = answer.map_err(unanswered)?;
        event::done(&answer)?;
        if !context.wants_reply() {
            return Ok(Reply::Done);
        }
        // It names the message (`channel` and `ts`) that can be updated later.
        Reply::success(self.config.slack_event_source.as_str(), REPLY_TYPE, answer.into_body())
    }
}

impl Slack {
    fn request(&self, call: Call, span: &mut Span) -> Result<Request<Bytes>, Error> {
        let uri = format!("{}/{}", self.api, call.method).parse::<Uri>();
        let uri = uri.map_err(|error| Error::retryable("making a URL of SLACK_API_URL").caused_by(error))?;
        span.set("server.address", || uri.authority().map(ToString::to_string).unwrap_or_default());
        let mut request = Request::new(call.arguments);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(header::AUTHORIZATION, self.authorization()?);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        let agent = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
        span.write(headers);
        Ok(request)
    }

    /// The token as it is now: its file may have been replaced.
    fn authorization(&self) -> Result<HeaderValue, Error> {
        let token = self.config.slack_token.read();
        if token.is_empty() {
            return Err(Error::retryable("SLACK_TOKEN is empty"));
        }
        let mut value = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| Error::retryable("SLACK_TOKEN holds what no header can"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// There is no complete answer. Whether Slack has done it is then unknown, and trying again may do it twice; but an answer
/// that is too large would be so again, and it begins when all is done.
fn unanswered(error: ClientError) -> Error {
    let message = "calling slack";
    match error.status {
        Some(status) if !status.is_success() => Error::from_status(status, None, message).caused_by(error),
        Some(_) if matches!(error.problem, Problem::TooLarge(_)) => {
            Error::permanent(message).caused_by(error)
        }
        _ => Error::retryable(message).caused_by(error),
    }
}
