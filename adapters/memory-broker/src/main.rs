//! The broker that keeps its events in memory.

mod broker;
mod config;

fn main() -> std::process::ExitCode {
    common::run::broker::<broker::MemoryBroker>()
}
