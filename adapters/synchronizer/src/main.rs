//! Makes request and response of events that come and go: a caller waits for the event that answers its own.

mod config;
mod key;
mod table;
mod target;

fn main() -> std::process::ExitCode {
    common::run::gateway::<target::Synchronizer>()
}
