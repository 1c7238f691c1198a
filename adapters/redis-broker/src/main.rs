//! The broker that keeps its events in a Redis stream.

mod append;
mod broker;
mod client;
mod config;
mod id;
mod letters;
mod reader;
mod reply;
mod stream;
mod tls;
mod trim;

fn main() -> std::process::ExitCode {
    common::run::durable_broker::<broker::RedisBroker>()
}
