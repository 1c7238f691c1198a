//! Looks at the path, the credentials and the rate, and hands each event to the sink with one attempt: the caller holds
//! the event and tries again.

mod path;
mod rate;

use std::time::{Duration, Instant};

use common::{
    Adapter, Answer, Context, Error, Event, Field, Info, Kind, Reply, Role, Rule, Scaling, Target,
    adapter::text_answer, config::ConfigError,
};
use http::{HeaderValue, StatusCode, header, request::Parts};

use self::{path::PathRule, rate::Bucket};
use crate::{config::CloudEventsConfig, credentials::Users};

/// Wrong credentials that are answered as such per second; above it nobody's are looked at, so that guessing is slow.
const GUESSES_PER_SECOND: u32 = 100;

/// The CloudEvents source.
pub struct CloudEvents {
    path: PathRule,
    users: Users,
    guesses: Bucket,
    rate: Option<Bucket>,
}

impl Adapter for CloudEvents {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Source,
        component: "cloudeventssource",
        resource_group: "cloudeventssources.sources.triggermesh.io",
        images: &["cloudeventssource-adapter"],
        emits: &["*"],
        accepts: &["*"],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "sources.triggermesh.io",
            version: "v1alpha1",
            kind: "CloudEventsSource",
            constants: &[],
            fields: &[
                Field::new("path", "CLOUDEVENTS_PATH"),
                Field::new("credentials.basicAuths", "CLOUDEVENTS_BASICAUTH_CREDENTIALS").rule(Rule::Json),
                Field::new("rateLimiter.requestsPerSecond", "CLOUDEVENTS_RATELIMITER_RPS"),
            ],
        }],
    };
    type Config = CloudEventsConfig;

    fn new(config: CloudEventsConfig) -> Result<Self, ConfigError> {
        let now = Instant::now();
        let rps = config.cloudevents_ratelimiter_rps;
        Ok(Self {
            path: PathRule::new(&config.cloudevents_path),
            users: Users::new(&config.cloudevents_basicauth_credentials),
            guesses: Bucket::new(GUESSES_PER_SECOND, now),
            rate: (rps > 0).then(|| Bucket::new(rps, now)),
        })
    }
}

impl Target for CloudEvents {
    fn admit(&self, request: &Parts) -> Result<(), Answer> {
        if !self.path.takes(request.uri.path()) {
            return Err(text_answer(StatusCode::NOT_FOUND, "no events are taken on this path"));
        }
        self.authenticate(request)?;
        match &self.rate {
            Some(rate) => rate.take(Instant::now()).map_err(limit_exceeded),
            None => Ok(()),
        }
    }

    async fn handle(&self, mut event: Event, context: &Context) -> Result<Reply, Error> {
        let sink = context.sink().ok_or_else(|| Error::retryable("there is no sink"))?;
        let accepted = sink.attempt(&mut event, &context.trace).await?;
        Ok(Reply::Status(accepted.status))
    }
}

impl CloudEvents {
    fn authenticate(&self, request: &Parts) -> Result<(), Answer> {
        if self.users.is_empty() {
            return Ok(());
        }
        let now = Instant::now();
        self.guesses.look(now).map_err(limit_exceeded)?;
        if self.users.admit(&request.headers) {
            return Ok(());
        }
        self.guesses.take(now).map_err(limit_exceeded)?;
        let mut refusal = text_answer(StatusCode::UNAUTHORIZED, "Unauthorized");
        let challenge = HeaderValue::from_static(r#"Basic realm="restricted", charset="UTF-8""#);
        refusal.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        Err(refusal)
    }
}

fn limit_exceeded(wait: Duration) -> Answer {
    let mut refusal = text_answer(StatusCode::TOO_MANY_REQUESTS, "limit exceeded");
    let seconds = wait.as_secs_f64().ceil() as u64;
    refusal.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    refusal
}
