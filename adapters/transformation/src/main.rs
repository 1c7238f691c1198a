//! Changes attributes and JSON data of events by a list of operations.

mod config;
mod target;

fn main() -> std::process::ExitCode {
    common::run::target::<target::Transform>()
}
