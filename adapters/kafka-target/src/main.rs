//! Sends events to kafka.

mod config;
mod target;

fn main() -> std::process::ExitCode {
    common::run::target::<target::Kafka>()
}
