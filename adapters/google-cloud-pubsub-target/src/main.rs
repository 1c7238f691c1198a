//! Publishes events to a Google Cloud Pub/Sub topic.

mod client;
mod config;
mod convert;
mod target;

fn main() -> std::process::ExitCode {
    common::run::batch_target::<target::PubsubTarget>()
}
