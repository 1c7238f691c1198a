//! Makes an HTTP request for each event and returns the answer as an event.

mod address;
mod config;
mod convert;
mod event;
mod target;
mod token;

fn main() -> std::process::ExitCode {
    common::run::target::<target::HttpTarget>()
}
