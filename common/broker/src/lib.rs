//! The engine that all brokers share: the configuration document, filters with an index, delivery with retries and
//! dead letter. Brokers differ in their backend: `memory`, or a `log` that outlives the process.

pub mod credentials;
pub mod death;
pub mod dlq;
pub mod document;
pub mod engine;
pub mod filter;
pub mod log;
pub mod memory;
pub mod policy;
pub mod queue;
pub mod room;
pub mod service;
pub mod settings;
pub mod source;
