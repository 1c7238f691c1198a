//! Brings events of azure-eventhubs in.

mod config;
mod source;

fn main() -> std::process::ExitCode {
    common::run::source::<source::AzureEventhubs>()
}
