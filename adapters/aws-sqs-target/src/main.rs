//! Sends events to an Amazon SQS queue, in batches.

mod config;
mod convert;
mod event;
mod target;

fn main() -> std::process::ExitCode {
    common::run::batch_target::<target::Sqs>()
}
