//! Makes an event of each element of an array in the data of another.

mod config;
mod target;

fn main() -> std::process::ExitCode {
    common::run::target::<target::Split>()
}
