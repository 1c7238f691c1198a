//! Sends the same event on a schedule.
mod clock;
mod config;
mod event;
mod schedule;
mod source;

fn main() -> std::process::ExitCode {
    common::run::source::<source::Ping>()
}
