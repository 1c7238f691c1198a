//! The project's own chores, run as `cargo xtask`.

mod bench;
mod chart;
/// The kit's own list: its file alone, because the whole kit would have to be built before the first chore.
#[path = "../../../tests/kit/src/clauses.rs"]
mod clauses;
mod cli;
mod document;
mod faults;
mod generate;
mod images;
mod markdown;
mod new;
mod prove;
mod test;
mod workspace;

fn main() -> std::process::ExitCode {
    cli::main()
}
