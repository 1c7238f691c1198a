//! Receives what happens in Slack as events.

mod config;
mod event;
mod signature;
mod source;

fn main() -> std::process::ExitCode {
    common::run::webhook_source::<source::Slack>()
}
