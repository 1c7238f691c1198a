//! The engine that all brokers share: the configuration document, filters with an index, delivery with retries and
//! dead letter, and the queues of a broker that keeps its events in memory.

pub mod credentials;
pub mod document;
pub mod filter;
pub mod memory;
pub mod policy;
pub mod queue;
pub mod room;
pub mod source;
