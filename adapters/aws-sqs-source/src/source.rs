//! Events of aws-sqs, one in each period. Name the documentation of the outside system here.

use common::{
    Adapter, Error, Event, Field, Info, InvalidEvent, Kind, Role, Scaling, Source, Stop, config::ConfigError,
    event, send::Outbox,
};

use crate::config::AwsSqsConfig;

const EVENT_TYPE: &str = "com.aws.sqs.event";

/// Brings an event in each period.
pub struct AwsSqs {
    config: AwsSqsConfig,
}

impl Adapter for AwsSqs {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Source,
        component: "awssqssource",
        resource_group: "awssqssources.sources.triggermesh.io",
        images: &[],
        emits: &[EVENT_TYPE],
        accepts: &[],
        scaling: Scaling::Single,
        kinds: &[Kind {
            group: "sources.triggermesh.io",
            version: "v1alpha1",
            kind: "AWSSQSSource",
            constants: &[],
            fields: &[
                Field::new("eventSource", "AWS_SQS_EVENT_SOURCE").or("{namespace}.{name}"),
                Field::new("period", "AWS_SQS_PERIOD"),
            ],
        }],
    };
    type Config = AwsSqsConfig;

    fn new(config: Self::Config) -> Result<Self, ConfigError> {
        Ok(Self { config })
    }
}

impl Source for AwsSqs {
    async fn run(&self, outbox: Outbox, stop: Stop) -> Result<(), Error> {
        let mut periods = tokio::time::interval(*self.config.aws_sqs_period);
        loop {
            tokio::select! {
                () = stop.requested() => return Ok(()),
                _ = periods.tick() => {}
            }
            let event =
                self.event().map_err(|error| Error::permanent("making the event").caused_by(error))?;
            // Not accepted before the stop: the outside system keeps it.
            if outbox.send(event).await.is_err() {
                return Ok(());
            }
        }
    }
}

impl AwsSqs {
    /// Where the outside system numbers what happens, that number is the event's id: it stays the same when sent again.
    fn event(&self) -> Result<Event, InvalidEvent> {
        let mut event = Event::new(event::new_id(), self.config.aws_sqs_event_source.as_str(), EVENT_TYPE)?;
        event.set("time", event::now())?;
        event.set_data("application/json", "{}")?;
        Ok(event)
    }
}
