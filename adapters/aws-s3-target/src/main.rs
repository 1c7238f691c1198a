//! Sends events to aws-s3.

mod config;
mod target;

fn main() -> std::process::ExitCode {
    common::run::target::<target::AwsS3>()
}
