//! Asks the expression about each event, and hands those that pass to the sink or back to the caller.

use common::{
    Adapter, Context, Error, Event, Field, Info, Kind, Reply, Role, Scaling, Target,
    config::ConfigError,
    metrics::{self, Counters},
};
use http::StatusCode;
use routing::{Expression, filter};

use crate::config::FilterConfig;

/// The filter.
pub struct Filter {
    expression: Expression,
    /// By what became of the event.
    events: Counters,
}

impl Adapter for Filter {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Transformation,
        component: "filter",
        resource_group: "filters.routing.triggermesh.io",
        images: &["filter-adapter"],
        emits: &[],
        accepts: &["*"],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "routing.triggermesh.io",
            version: "v1alpha1",
            kind: "Filter",
            constants: &[],
            fields: &[Field::new("expression", "FILTER_EXPRESSION")],
        }],
    };
    type Config = FilterConfig;

    fn new(config: FilterConfig) -> Result<Self, ConfigError> {
        let expression = config.compile().map_err(|mistakes| ConfigError {
            problems: mistakes.iter().map(|mistake| format!("FILTER_EXPRESSION {mistake}")).collect(),
        })?;
        let events = metrics::counters(
            "filter_events_total",
            "Number of events, by what became of them: passed, dropped, or failed where the expression has no answer",
            &["result"],
            &[],
        );
        Ok(Self { expression, events })
    }
}

impl Target for Filter {
    async fn handle(&self, mut event: Event, context: &Context) -> Result<Reply, Error> {
        if !self.passes(&event)? {
            // As the original says it.
            return Ok(Reply::Status(StatusCode::OK));
        }
        let Some(sink) = context.sink() else { return Ok(Reply::Event(event)) };
        let accepted = sink.ask(&mut event, &context.trace).await?;
        Ok(accepted.reply.map_or(Reply::Status(accepted.status), Reply::Event))
    }
}

impl Filter {
    fn passes(&self, event: &Event) -> Result<bool, Error> {
        let answer = self.expression.passes(event);
        self.events.count(&[match answer {
            Ok(true) => "passed",
            Ok(false) => "dropped",
            Err(_) => "failed",
        }]);
        answer.map_err(|error| match error {
            filter::Error::Event(reason) => Error::permanent(format!("evaluating the expression: {reason}")),
            late @ filter::Error::Late => Error::retryable("evaluating the expression").caused_by(late),
        })
    }
}
