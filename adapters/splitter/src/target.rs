//! Splits each event, and hands the parts to the sink or back to the caller.

use common::{
    Adapter, Context, Error, Event, Field, Info, Kind, Reply, Role, Rule, Scaling, Target,
    config::ConfigError,
    metrics::{self, IntCounter},
    send::{Failure, Sink},
};
use futures_util::{StreamExt, stream};
use http::StatusCode;
use routing::{
    Splitter,
    splitter::{self, Parts},
};

use crate::config::SplitterConfig;

/// The splitter.
pub struct Split {
    splitter: Splitter,
    concurrency: usize,
    batch: bool,
    accepted: Option<IntCounter>,
    failed: Option<IntCounter>,
}

impl Adapter for Split {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Transformation,
        component: "splitter",
        resource_group: "splitters.routing.triggermesh.io",
        images: &["splitter-adapter"],
        emits: &["{SPLITTER_CE_TYPE}"],
        accepts: &["*"],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "routing.triggermesh.io",
            version: "v1alpha1",
            kind: "Splitter",
            constants: &[],
            fields: &[
                Field::new("path", "SPLITTER_PATH"),
                Field::new("ceContext.type", "SPLITTER_CE_TYPE"),
                Field::new("ceContext.source", "SPLITTER_CE_SOURCE"),
                Field::new("ceContext.extensions", "SPLITTER_CE_EXTENSIONS").rule(Rule::Json),
                // Ours.
                Field::new("numberParts", "SPLITTER_NUMBER_PARTS"),
                Field::new("batch", "SPLITTER_BATCH"),
            ],
        }],
    };
    type Config = SplitterConfig;

    fn new(config: SplitterConfig) -> Result<Self, ConfigError> {
        let named = |(variable, problem)| format!("{variable} {problem}");
        let splitter = config
            .splitter()
            .map_err(|problems| ConfigError { problems: problems.into_iter().map(named).collect() })?;
        let parts = metrics::counters(
            "splitter_parts_total",
            "Number of parts, by what became of them: accepted by the sink, or failed",
            &["result"],
            &[],
        );
        Ok(Self {
            splitter,
            concurrency: config.splitter_concurrency,
            batch: config.splitter_batch.0,
            accepted: parts.with(&["accepted"]),
            failed: parts.with(&["failed"]),
        })
    }
}

impl Target for Split {
    async fn handle(&self, event: Event, context: &Context) -> Result<Reply, Error> {
        let refused = |error| Error::permanent("splitting the event").caused_by(error);
        let parts = self.splitter.split(&event).map_err(refused)?;
        // The parts hold on to the data, and to nothing else of the event.
        drop(event);
        if parts.len() == 0 {
            return Ok(Reply::Status(StatusCode::OK));
        }
        let Some(sink) = context.sink() else { return answer(parts, context) };
        if self.batch {
            let mut parts = parts.collect::<Result<Vec<_>, _>>().map_err(refused)?;
            let result = sink.attempt_batch(&mut parts, &context.trace).await;
            self.count(&result, parts.len());
            return Ok(Reply::Status(result?.status));
        }
        self.deliver(parts, sink, context).await?;
        Ok(Reply::Status(StatusCode::OK))
    }
}

/// The parts as the reply.
fn answer(parts: Parts<'_>, context: &Context) -> Result<Reply, Error> {
    if parts.len() > 1 && !context.takes_batch() {
        let message =
            "an event of several parts needs K_SINK, or a caller that accepts a batch of CloudEvents";
        return Err(Error::permanent(message));
    }
    let parts = parts.collect::<Result<Vec<_>, _>>();
    let mut parts = parts.map_err(|error| Error::permanent("splitting the event").caused_by(error))?;
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => Ok(Reply::Event(only)),
        (last, _) => {
            parts.extend(last);
            Ok(Reply::Events(parts))
        }
    }
}

impl Split {
    /// Hands all parts to the sink. One that the sink refuses for good holds up no other; once the sink is out of order no
    /// more set out. In both cases the whole has failed: the caller has the event, and its parts keep their ids.
    async fn deliver(&self, parts: Parts<'_>, sink: &Sink, context: &Context) -> Result<(), Error> {
        let mut refused = Refused::default();
        if self.concurrency == 1 {
            for part in parts {
                refused.unless_transient(self.send(part, sink, context).await)?;
            }
        } else {
            let sending = stream::iter(parts.map(|part| self.send(part, sink, context)));
            let mut sending = sending.buffered(self.concurrency);
            while let Some(result) = sending.next().await {
                refused.unless_transient(result)?;
            }
        }
        refused.into_result()
    }

    async fn send(
        &self,
        part: Result<Event, splitter::Error>,
        sink: &Sink,
        context: &Context,
    ) -> Result<(), Error> {
        let mut part = part.map_err(|error| Error::permanent("splitting the event").caused_by(error))?;
        let result = sink.attempt(&mut part, &context.trace).await;
        self.count(&result, 1);
        result.map(|_| ()).map_err(|failure| {
            let error = Error::from(failure);
            // Which of them it was is worth more than the whole chain of causes.
            tracing::debug!(event_id = part.id(), reason = error.chain(), "a part was not accepted");
            error
        })
    }

    fn count<T>(&self, result: &Result<T, Failure>, parts: usize) {
        if let Some(counter) = if result.is_ok() { &self.accepted } else { &self.failed } {
            counter.inc_by(parts as u64);
        }
    }
}

/// The parts that the sink refused for good.
#[derive(Default)]
struct Refused {
    count: usize,
    first: Option<Error>,
}

impl Refused {
    /// Keeps what is permanent, and gives back what is not.
    fn unless_transient(&mut self, result: Result<(), Error>) -> Result<(), Error> {
        match result {
            Err(error) if error.is_permanent() => {
                self.count += 1;
                self.first.get_or_insert(error);
                Ok(())
            }
            other => other,
        }
    }

    fn into_result(self) -> Result<(), Error> {
        let Some(error) = self.first else { return Ok(()) };
        let message = format!("parts were refused: {}; the first", self.count);
        Err(Error::permanent(message).with_status(error.status()).caused_by(error))
    }
}
