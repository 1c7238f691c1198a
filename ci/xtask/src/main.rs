//! The project's own chores, run as `cargo xtask`.

mod bench;
mod cli;
mod document;
mod generate;
mod markdown;
mod new;
mod prove;
mod test;
mod workspace;

fn main() -> std::process::ExitCode {
    cli::main()
}
