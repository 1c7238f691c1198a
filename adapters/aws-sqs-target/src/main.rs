//! Sends events to aws-sqs.

mod config;
mod target;

fn main() -> std::process::ExitCode {
    common::run::target::<target::AwsSqs>()
}
