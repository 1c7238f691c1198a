//! Sends events to an event hub of Azure, in batches.

mod config;
mod convert;
mod target;

fn main() -> std::process::ExitCode {
    common::run::batch_target::<target::EventHubs>()
}
