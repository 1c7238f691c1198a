//! Stores each event as an object in a bucket of S3.

mod client;
mod config;
mod convert;
mod target;

fn main() -> std::process::ExitCode {
    common::run::target::<target::S3>()
}
