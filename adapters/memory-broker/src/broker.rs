//! The broker as the frame sees it: requests become events in memory, and the rest is delivery beside them.
//!
//! Facts: TriggerMesh's brokers, their ingest, settings and configuration document.

use std::sync::Arc;

use axum::routing::MethodRouter;
use broker::{memory::Memory, service::Service};
use common::{
    Adapter, Answer, Context, Error, Event, Field, Info, Kind, Reply, Role, Scaling, Stop, Target,
    config::ConfigError,
};
use http::{StatusCode, request::Parts};

use crate::config::MemoryConfig;

/// A broker that keeps its events in memory.
pub struct MemoryBroker(Service<Memory>);

impl Adapter for MemoryBroker {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Broker,
        component: "memorybroker",
        resource_group: "memorybrokers.eventing.triggermesh.io",
        images: &["memory-broker"],
        emits: &[],
        accepts: &["*"],
        scaling: Scaling::Single,
        kinds: &[Kind {
            group: "eventing.triggermesh.io",
            version: "v1alpha1",
            kind: "MemoryBroker",
            constants: &[],
            fields: &[
                Field::new("memory.bufferSize", "MEMORY_BUFFER_SIZE"),
                Field::new("memory.bufferBytes", "MEMORY_BUFFER_BYTES"),
                Field::new("memory.produceTimeout", "MEMORY_PRODUCE_TIMEOUT"),
                Field::new("broker.name", "BROKER_NAME").or("{name}"),
            ],
        }],
    };
    type Config = MemoryConfig;

    fn new(config: Self::Config) -> Result<Self, ConfigError> {
        let buffer = config.buffer();
        let memory = Memory::new(*config.memory_produce_timeout, buffer);
        let amounts = (buffer, Memory::share(buffer));
        Service::new(&config.broker, memory, amounts, Memory::bounds).map(Self)
    }

    fn pages(self: &Arc<Self>) -> Vec<(&'static str, MethodRouter)> {
        self.0.pages()
    }
}

impl Target for MemoryBroker {
    /// The answer of the old brokers, which their clients may look for.
    const ACCEPTED: StatusCode = StatusCode::OK;

    fn admit(&self, request: &Parts) -> Result<(), Answer> {
        self.0.admit(request)
    }

    async fn handle(&self, event: Event, context: &Context) -> Result<Reply, Error> {
        self.0.handle(event, context).await
    }

    async fn run(self: &Arc<Self>, stop: Stop) -> Result<(), Error> {
        self.0.run(stop).await
    }
}
