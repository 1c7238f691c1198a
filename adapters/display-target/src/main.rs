//! Prints every event it receives and shows the last ones as JSON.
mod config;
mod page;
mod printer;
mod target;

fn main() -> std::process::ExitCode {
    common::run::target::<target::Display>()
}
