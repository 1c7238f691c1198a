//! Sends an event for each record of a topic of Apache Kafka.

mod config;
mod consumer;
mod event;
mod source;

fn main() -> std::process::ExitCode {
    common::run::log_source::<source::Kafka>()
}
