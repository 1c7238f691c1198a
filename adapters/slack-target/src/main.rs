//! Posts, schedules and updates Slack messages.

mod config;
mod convert;
mod event;
mod target;

fn main() -> std::process::ExitCode {
    common::run::target::<target::Slack>()
}
