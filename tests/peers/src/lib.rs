//! Real servers to test against: installed in a pinned version, started on loopback by the test that needs them, and ended
//! with it. One that cannot be had fails the test: nothing is left out in silence.
//!
//! A new peer is a file here with a type whose `start` calls [`install`] and [`Server::start`].

#![expect(
    clippy::disallowed_methods,
    reason = "a test tool outside the frame: it waits, and reads its environment"
)]

mod azurite;
mod elasticmq;
pub mod eventhubs;
pub mod helm;
pub mod install;
mod jaeger;
pub mod kafka;
mod moto;
mod prometheus;
mod pstest;
mod queue;
mod redis;
mod server;
mod shared;
pub mod slack;
mod sqs;
mod toxiproxy;
mod versitygw;

pub use azurite::{Azurite, StoredBlob};
pub use elasticmq::ElasticMq;
pub use eventhubs::EventHubs;
pub use jaeger::{Jaeger, Span};
pub use kafka::{Kafka, Record};
pub use moto::Moto;
pub use prometheus::{Prometheus, promtool};
pub use pstest::{Calls, Pstest, Published};
pub use queue::Queue;
pub use redis::{Redis, RedisCluster};
pub use server::{Server, free_port};
pub use shared::shared;
pub use slack::Slack;
pub use sqs::Sqs;
pub use toxiproxy::{Proxy, Toxic, Toxiproxy};
pub use versitygw::Versitygw;

/// Peers that are a server and know more: where they listen is asked of the server itself.
macro_rules! servers {
    ($($peer:ident.$server:tt),*) => {
        $(impl std::ops::Deref for $peer {
            type Target = Server;

            fn deref(&self) -> &Server {
                &self.$server
            }
        })*
    };
}

servers!(Azurite.0, ElasticMq.0, Moto.0, Pstest.server, Redis.server, Versitygw.0);
