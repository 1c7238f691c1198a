//! Gathers events that belong together into one, whose data are an array of theirs.

mod config;
mod delivered;
mod table;
mod target;

fn main() -> std::process::ExitCode {
    common::run::gateway::<target::Gather>()
}
