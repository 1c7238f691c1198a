//! Measures what an event costs: `bench run`, `bench start`, and the roles they use (`floor`, `sink`, `load`).
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measuring program outside the frame: it paces itself, and the floor is hyper's bare client"
)]

mod around;
mod cases;
mod cli;
mod cpu;
mod describe;
mod floor;
mod http1;
mod kafka;
mod library;
mod load;
mod redis;
mod report;
mod run;
mod sink;
mod start;
mod subject;

fn main() -> std::process::ExitCode {
    cli::main()
}
