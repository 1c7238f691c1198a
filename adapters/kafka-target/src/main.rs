//! Writes events to a topic of Apache Kafka.

mod config;
mod convert;
mod target;

fn main() -> std::process::ExitCode {
    common::run::target::<target::Kafka>()
}
