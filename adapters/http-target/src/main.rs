//! Makes an HTTP request for each event and returns the answer as an event.

mod config;
mod convert;
mod event;
mod target;

fn main() -> std::process::ExitCode {
    common::run::target::<target::HttpTarget>()
}
