//! Passes on the events for which an expression holds, and drops the others.

mod config;
mod target;

fn main() -> std::process::ExitCode {
    common::run::target::<target::Filter>()
}
