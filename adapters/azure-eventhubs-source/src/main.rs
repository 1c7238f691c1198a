//! Brings the events of an event hub of Azure, of all its partitions, shared between replicas.

mod config;
mod event;
mod source;

fn main() -> std::process::ExitCode {
    common::run::log_source::<source::EventHubs>()
}
