//! Events of kafka, one in each period. Name the documentation of the outside system here.

use common::{
    Adapter, Error, Event, Field, Info, InvalidEvent, Kind, Role, Scaling, Source, Stop, config::ConfigError,
    event, send::Outbox,
};

use crate::config::KafkaConfig;

const EVENT_TYPE: &str = "com.kafka.event";

/// Brings an event in each period.
pub struct Kafka {
    config: KafkaConfig,
}

impl Adapter for Kafka {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Source,
        component: "kafkasource",
        resource_group: "kafkasources.sources.triggermesh.io",
        images: &[],
        emits: &[EVENT_TYPE],
        accepts: &[],
        scaling: Scaling::Single,
        kinds: &[Kind {
            group: "sources.triggermesh.io",
            version: "v1alpha1",
            kind: "KafkaSource",
            constants: &[],
            fields: &[
                Field::new("eventSource", "KAFKA_EVENT_SOURCE").or("{namespace}.{name}"),
                Field::new("period", "KAFKA_PERIOD"),
            ],
        }],
    };
    type Config = KafkaConfig;

    fn new(config: Self::Config) -> Result<Self, ConfigError> {
        Ok(Self { config })
    }
}

impl Source for Kafka {
    async fn run(&self, outbox: Outbox, stop: Stop) -> Result<(), Error> {
        let mut periods = tokio::time::interval(*self.config.kafka_period);
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

impl Kafka {
    /// Where the outside system numbers what happens, that number is the event's id: it stays the same when sent again.
    fn event(&self) -> Result<Event, InvalidEvent> {
        let mut event = Event::new(event::new_id(), self.config.kafka_event_source.as_str(), EVENT_TYPE)?;
        event.set("time", event::now())?;
        event.set_data("application/json", "{}")?;
        Ok(event)
    }
}
