//! Brings events of kafka in.

mod config;
mod source;

fn main() -> std::process::ExitCode {
    common::run::source::<source::Kafka>()
}
