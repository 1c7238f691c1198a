//! Holds the caller of a request until the event that answers it comes.

use std::{pin::pin, time::Duration};

use common::{
    Adapter, Context, Error, Event, Field, Info, Kind, Reply, Role, Scaling, Target,
    config::{ConfigError, Extension},
    metrics::{self, Counters, Gauge},
    send::{Accepted, Failure},
};
use http::StatusCode;
use tokio::time::{Instant, timeout, timeout_at};

use crate::{
    config::SynchronizerConfig,
    table::{Call, NoSeat, NotTaken, Table},
};

/// How long a sink has to say that it took the request, once the response is there: a connection that is cut is lost for
/// other requests, and whoever is at work behind the sink may be cut off with it.
const ACKNOWLEDGEMENT: Duration = Duration::from_millis(50);

/// The synchronizer.
pub struct Synchronizer {
    attribute: Extension,
    wait: Duration,
    bridge: Option<String>,
    table: Table,
    waiting: Gauge,
    /// By what became of the request or the response.
    outcomes: Counters,
}

impl Adapter for Synchronizer {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Transformation,
        component: "synchronizer",
        resource_group: "synchronizers.flow.triggermesh.io",
        images: &["synchronizer-adapter"],
        emits: &["*"],
        accepts: &["*"],
        scaling: Scaling::Single,
        kinds: &[Kind {
            group: "flow.triggermesh.io",
            version: "v1alpha1",
            kind: "Synchronizer",
            constants: &[],
            fields: &[
                Field::new("correlationKey.attribute", "CORRELATION_KEY"),
                Field::new("correlationKey.length", "CORRELATION_KEY_LENGTH").or("24"),
                Field::new("response.timeout", "RESPONSE_WAIT_TIMEOUT"),
            ],
        }],
    };
    type Config = SynchronizerConfig;

    fn new(config: SynchronizerConfig) -> Result<Self, ConfigError> {
        if config.is_guessable() {
            tracing::warn!(
                length = config.length(),
                "correlation keys are so short that whoever can send events here can guess them"
            );
        }
        let waiting = metrics::gauges(
            "synchronizer_waiting_requests",
            "Number of requests that wait for their responses",
            &[],
            &[],
        );
        let outcomes = metrics::counters(
            "synchronizer_outcomes_total",
            "Number of requests and responses, by what became of them",
            &["event", "outcome"],
            &[],
        );
        Ok(Self {
            table: Table::new(config.waiting(), config.waiting_bytes(), config.length()),
            attribute: config.correlation_key,
            wait: *config.response_wait_timeout,
            bridge: config.events_bridge_identifier,
            waiting: waiting.with(&[]),
            outcomes,
        })
    }

    async fn settled(&self, patience: Duration) {
        self.table.close(patience).await;
    }
}

impl Target for Synchronizer {
    const ACCEPTED: StatusCode = StatusCode::OK;

    async fn handle(&self, event: Event, context: &Context) -> Result<Reply, Error> {
        match event.text(self.attribute.as_str()).cloned() {
            Some(key) => self.response(&key, event).await,
            None => self.request(event, context).await,
        }
    }
}

impl Synchronizer {
    /// Sends the request on and waits for its response, from now on for as long as is set.
    async fn request(&self, mut event: Event, context: &Context) -> Result<Reply, Error> {
        let deadline = Instant::now() + self.wait;
        let sink = context.sink().ok_or_else(|| Error::retryable("there is no sink"))?;
        // Counted for longer than it has its seat.
        let _counted = self.waiting.count();
        let mut seat = self.table.take(event.size()).map_err(|none| self.refused(none))?;
        let named =
            event.set(self.attribute.as_str(), seat.key()).and_then(|()| self.name_bridge(&mut event));
        named.map_err(|error| {
            Error::permanent(format!("unable to forward the request: {error}"))
                .with_status(StatusCode::BAD_REQUEST)
        })?;
        let mut sending = pin!(sink.attempt(&mut event, &context.trace));
        // The response may come before the sink says that it has the request.
        let first = async {
            tokio::select! {
                biased;
                call = seat.called() => Ok(call),
                sent = &mut sending => Err(sent),
            }
        };
        let call = match timeout_at(deadline, first).await {
            Err(_) => return Err(self.late()),
            Ok(Ok(call)) => {
                let response = self.answered(call)?;
                // Whether it has it or not: here is what came of it.
                let _ = timeout(ACKNOWLEDGEMENT, sending).await;
                return Ok(response);
            }
            Ok(Err(Err(failure))) => return Err(self.not_sent(failure)),
            Ok(Err(Ok(Accepted { refused: Some(refusal), .. }))) => return Err(self.not_sent(*refusal)),
            Ok(Err(Ok(Accepted { refused: None, .. }))) => {
                timeout_at(deadline, seat.called()).await.map_err(|_| self.late())?
            }
        };
        self.answered(call)
    }

    fn answered(&self, call: Call) -> Result<Reply, Error> {
        let Call::Response(mut response, had) = call else {
            self.count("request", "given up");
            return Err(Error::retryable("the process ends before there is a response"));
        };
        // Whoever brought it need not wait for us.
        let _ = had.send(());
        self.count("request", "answered");
        // An event without room for one more attribute goes as it is.
        let _ = self.name_bridge(&mut response);
        Ok(Reply::Event(*response))
    }

    /// Hands a response to its caller.
    async fn response(&self, key: &str, event: Event) -> Result<Reply, Error> {
        let taken = self.table.call(key, event).await;
        let outcome = match taken {
            Ok(()) => "taken",
            Err(NotTaken::Unknown) => "unknown key",
            Err(NotTaken::Gone) => "caller gone",
        };
        self.count("response", outcome);
        // Permanent: there is no sense in sending it again.
        taken.map_err(|error| Error::permanent(error.to_string()).with_status(StatusCode::BAD_GATEWAY))?;
        Ok(Reply::Done)
    }

    fn refused(&self, none: NoSeat) -> Error {
        self.count("request", "no room");
        let is_collision = matches!(none, NoSeat::NoKey);
        let error = Error::retryable(none.to_string());
        if is_collision { error.with_status(StatusCode::INTERNAL_SERVER_ERROR) } else { error }
    }

    fn late(&self) -> Error {
        self.count("request", "no response in time");
        Error::retryable("backend did not respond in time").with_status(StatusCode::GATEWAY_TIMEOUT)
    }

    fn not_sent(&self, failure: Failure) -> Error {
        self.count("request", "not sent");
        failure.into()
    }

    fn name_bridge(&self, event: &mut Event) -> Result<(), common::InvalidEvent> {
        match &self.bridge {
            Some(bridge) if event.get("statefulbridge").is_none() => {
                event.set("statefulbridge", bridge.as_str())
            }
            _ => Ok(()),
        }
    }

    fn count(&self, event: &str, outcome: &str) {
        self.outcomes.count(&[event, outcome]);
    }
}
