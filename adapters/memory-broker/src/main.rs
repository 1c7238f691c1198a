//! The broker that keeps its events in memory.

mod broker;
mod config;

fn main() -> std::process::ExitCode {
    ::broker::service::main::<broker::MemoryBroker>()
}
