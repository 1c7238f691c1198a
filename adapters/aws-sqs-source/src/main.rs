//! Brings the messages of an Amazon SQS queue in, among them notifications of S3 buckets and EventBridge buses.

mod client;
mod config;
mod event;
mod source;

fn main() -> std::process::ExitCode {
    common::run::queue_source::<source::Sqs>()
}
