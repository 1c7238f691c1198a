//! Asks an HTTP endpoint in intervals and sends what it answers as events.

mod config;
mod event;
mod source;

fn main() -> std::process::ExitCode {
    common::run::poll_source::<source::HttpPoller>()
}
