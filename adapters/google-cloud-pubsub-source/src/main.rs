//! Brings the messages of a Google Cloud Pub/Sub subscription in.

mod config;
mod convert;
mod event;
mod held;
mod source;
mod stream;

fn main() -> std::process::ExitCode {
    common::run::queue_source::<source::PubsubSource>()
}
