//! The broker that keeps its events in a topic of Apache Kafka.

mod broker;
mod config;
mod log;

fn main() -> std::process::ExitCode {
    common::run::durable_broker::<broker::KafkaBroker>()
}
