//! Forwards events to a CloudEvents endpoint and relays its reply.

mod config;
mod target;

fn main() -> std::process::ExitCode {
    common::run::target::<target::CloudEvents>()
}
