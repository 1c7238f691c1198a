//! The broker that keeps its events in a Redis stream.

mod broker;
mod config;
mod stream;

fn main() -> std::process::ExitCode {
    common::run::durable_broker::<broker::RedisBroker>()
}
