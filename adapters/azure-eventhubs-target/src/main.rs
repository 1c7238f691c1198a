//! Sends events to azure-eventhubs.

mod config;
mod target;

fn main() -> std::process::ExitCode {
    common::run::target::<target::AzureEventhubs>()
}
