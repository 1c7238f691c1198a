//! Prints every event it receives and shows the last ones as JSON.
mod config;
mod event;
mod json;
mod page;
mod printer;
mod target;
mod visible;

fn main() -> std::process::ExitCode {
    common::run::target::<target::Display>()
}
