//! Brings the messages of a Google Cloud Pub/Sub subscription in.

mod client;
mod config;
mod event;
mod source;

fn main() -> std::process::ExitCode {
    common::run::queue_source::<source::PubsubSource>()
}
