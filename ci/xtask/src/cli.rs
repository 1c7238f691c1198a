//! The command line.

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;
use crate::{bench, faults, generate, images, new, prove, test};

/// What goes wrong in a chore: it ends with one message.
pub type Failure = Box<dyn std::error::Error>;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, about, long_about = None)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a new adapter that compiles and passes the conformance clauses of every binary.
    New(new::Arguments),
    /// Write every adapter's describe.json, and what is made of it in READMEs, in docs and in charts.
    Gen {
        /// Write nothing; print what differs and exit with 1.
        #[arg(long)]
        check: bool,
        /// Take the describe.json that are committed; nothing is built.
        #[arg(long)]
        derived: bool,
    },
    /// Write tests/sample.json of adapters, which their READMEs show, from a run of each.
    Sample {
        /// Names of adapters; all of them without one.
        names: Vec<String>,
    },
    /// Test crates or adapters, conformance included; everything without a name.
    T {
        /// Names of adapters or crates.
        names: Vec<String>,
        /// Run only tests whose name holds this.
        #[arg(long)]
        only: Option<String>,
    },
    /// Run the fault tests and write what they saw into their README.
    Faults,
    /// Make an adapter of every shape in a copy of the checkout and hold it, untouched, to the clauses of every binary.
    Prove,
    /// Measure CPU time per event; with `start`, start-up, memory and size of the image build.
    Bench(bench::Arguments),
    /// Build images, and a bill of materials for each.
    Images(images::Arguments),
}

/// Runs the chore; 1 when it failed or found something.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = Workspace::find().and_then(|workspace| match arguments.command {
        Command::New(arguments) => new::run(&workspace, &arguments),
        Command::Gen { check, derived: false } => generate::run(&workspace, check),
        Command::Gen { check, derived: true } => generate::derived(&workspace, check),
        Command::Sample { names } => generate::samples(&workspace, &names),
        Command::T { names, only } => test::run(&workspace, &names, only.as_deref()),
        Command::Faults => faults::run(&workspace),
        Command::Prove => prove::run(&workspace),
        Command::Bench(arguments) => bench::run(&workspace, &arguments),
        Command::Images(arguments) => images::run(&workspace, &arguments),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&format!("error: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// A line for the person who waits.
pub fn say(text: &str) {
    // Nobody can be told when standard error is gone.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
