//! Sends events to slack.

mod config;
mod target;

fn main() -> std::process::ExitCode {
    common::run::target::<target::Slack>()
}
