//! The `trestle` command: runs, checks and describes bridges.
#![expect(
    clippy::disallowed_methods,
    reason = "this is no adapter: it owns its tasks, its pauses and its environment"
)]
mod args;
mod control;
mod describe;
mod dlq;
mod lint;
mod list;
mod reach;
mod render;
mod send;
mod style;
mod test;
mod up;
mod watch;

use trestle::{bridge, catalogue, manifest, yaml};

fn main() -> std::process::ExitCode {
    args::run()
}
