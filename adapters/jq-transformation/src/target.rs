//! Runs the query over the data of each event, and answers with the result or hands it to the sink.

use std::sync::Arc;

use common::{
    Adapter, Context, Error, Event, Field, Info, Kind, Reply, Role, Scaling, Target, config::ConfigError,
    worker,
};
use jq::{Bounds, Exceeded, Failure, Query};
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};

use crate::config::JqConfig;

/// The type of the events that tell of failures.
const FAILED: &str = "io.triggermesh.jqtransformation.error";
/// An event waits so many times the time of a query for one of the threads that take what is not done at once.
const PATIENCE: u32 = 5;

/// The transformation.
pub struct Jq {
    query: Arc<Query>,
    bounds: Bounds,
    /// Queries that run on threads of their own; more would only slow down one another.
    threads: Arc<Semaphore>,
}

impl Adapter for Jq {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Transformation,
        component: "jqtransformation",
        resource_group: "jqtransformations.flow.triggermesh.io",
        images: &["jqtransformation-adapter"],
        emits: &[FAILED],
        accepts: &["*"],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "flow.triggermesh.io",
            version: "v1alpha1",
            kind: "JQTransformation",
            constants: &[],
            fields: &[
                Field::new("query", "JQ_QUERY"),
                Field::new("eventOptions.payloadPolicy", "EVENTS_PAYLOAD_POLICY"),
            ],
        }],
    };
    type Config = JqConfig;

    fn new(config: JqConfig) -> Result<Self, ConfigError> {
        let query = config.query().map_err(|mistake| ConfigError { problems: vec![mistake.to_string()] })?;
        if config.jq_query.trim().is_empty() {
            tracing::warn!("there is no query: the data stay what they are");
        }
        let threads = Arc::new(Semaphore::new(worker::count()));
        Ok(Self { query, bounds: config.bounds(), threads })
    }
}

impl Target for Jq {
    async fn handle(&self, mut event: Event, context: &Context) -> Result<Reply, Error> {
        let result = match self.query.glance(&event) {
            Some(result) => result,
            None => self.aside(&event).await?,
        };
        let json = result.map_err(refused)?;
        event
            .set_data("application/json", json)
            .map_err(|error| Error::permanent("making the event").caused_by(error))?;
        context.hand_on(event).await.map_err(|failure| failure.told_as(FAILED))
    }
}

impl Jq {
    /// Runs the query on a thread of its own: what takes long must not hold up other events.
    async fn aside(&self, event: &Event) -> Result<Result<Vec<u8>, Failure>, Error> {
        let busy = || Error::retryable("waiting for other queries to end");
        let waiting = Arc::clone(&self.threads).acquire_owned();
        let permit =
            timeout(self.bounds.time * PATIENCE, waiting).await.ok().and_then(Result::ok).ok_or_else(busy)?;
        let (done, result) = oneshot::channel();
        let begun = self.query.run_aside(event.clone(), self.bounds, move |result| {
            drop(permit);
            // The caller may have gone.
            let _ = done.send(result);
        });
        begun.map_err(|error| Error::retryable("starting a thread for the query").caused_by(error))?;
        Ok(result.await.unwrap_or(Err(Failure::Interpreter)))
    }
}

/// What the query itself says goes to the caller alone: it can hold data.
fn refused(failure: Failure) -> Error {
    match &failure {
        Failure::Query(said) => Error::permanent("the query failed")
            .with_detail(said.as_bytes())
            .told_as(FAILED)
            .with_code("request-parsing"),
        Failure::ContentType(_) | Failure::Data(_) => {
            Error::permanent(failure.to_string()).told_as(FAILED).with_code("request-parsing")
        }
        Failure::Exceeded(Exceeded::Together) => Error::retryable(failure.to_string()).told_as(FAILED),
        Failure::Exceeded(_) | Failure::Interpreter => Error::permanent(failure.to_string()).told_as(FAILED),
    }
}
