//! Brings events of aws-sqs in.

mod config;
mod source;

fn main() -> std::process::ExitCode {
    common::run::source::<source::AwsSqs>()
}
