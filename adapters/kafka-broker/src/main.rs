//! The broker that keeps its events in a topic of Apache Kafka.

mod broker;
mod config;
mod log;

fn main() -> std::process::ExitCode {
    ::broker::service::main::<broker::KafkaBroker>()
}
