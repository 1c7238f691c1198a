//! Makes the data of events anew by a query in the jq language.

mod config;
mod target;

fn main() -> std::process::ExitCode {
    common::run::target::<target::Jq>()
}
