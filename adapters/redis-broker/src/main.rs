//! The broker that keeps its events in a Redis stream.

mod broker;
mod config;
mod stream;

fn main() -> std::process::ExitCode {
    ::broker::service::main::<broker::RedisBroker>()
}
