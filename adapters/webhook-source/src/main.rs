//! Turns any HTTP request into an event.

mod config;
mod event;
mod signature;
mod source;

fn main() -> std::process::ExitCode {
    common::run::webhook_source::<source::Webhook>()
}
