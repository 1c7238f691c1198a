//! Turns requests of slack into events.

mod config;
mod source;

fn main() -> std::process::ExitCode {
    common::run::webhook_source::<source::Slack>()
}
