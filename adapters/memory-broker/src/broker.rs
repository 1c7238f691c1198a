//! The broker as the frame sees it: requests become events in memory, and the rest is delivery beside them.
//!
//! Facts: TriggerMesh's brokers, their ingest, settings and configuration document.

use broker::{
    memory::Memory,
    service::{Broker, Service},
};
use common::{Field, Info, Kind, Role, Scaling, config::ConfigError};

use crate::config::MemoryConfig;

/// A broker that keeps its events in memory.
pub struct MemoryBroker;

impl Broker for MemoryBroker {
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
    type Backend = Memory;

    fn service(config: Self::Config) -> Result<Service<Self>, ConfigError> {
        let buffer = config.buffer();
        let memory = Memory::new(*config.memory_produce_timeout, buffer);
        let amounts = (buffer, Memory::share(buffer));
        Service::new(&config.broker, memory, amounts, Memory::bounds)
    }
}
