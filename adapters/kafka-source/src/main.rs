//! Sends an event for each record of a topic of Apache Kafka.

mod config;
mod event;
mod source;
mod start;

fn main() -> std::process::ExitCode {
    common::run::log_source::<source::Kafka>()
}
