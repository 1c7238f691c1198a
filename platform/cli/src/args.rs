//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::catalogue::{Catalogue, EMBEDDED};
use crate::up::Finder;
use crate::{describe, lint, list, test, up};

/// Connects systems with CloudEvents: sources bring events in, brokers route them, targets take them out.
///
/// A bridge is one YAML file of Kubernetes objects that wires several of them together. `trestle up` runs it on this
/// machine, with nothing else installed.
#[derive(Parser)]
#[command(name = "trestle", version, arg_required_else_help = true)]
#[command(after_help = "Try: trestle up examples/quickstart.yaml")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a bridge here until Ctrl-C.
    ///
    /// Every component is a process on 127.0.0.1. One log shows them all, a component that dies is started again, and an
    /// edit of the file takes effect at once. Secrets that the file refers to and does not hold are taken from the
    /// environment: key `password` of Secret `my-login` is MY_LOGIN_PASSWORD.
    ///
    /// Exit codes: 0 stopped as asked, 1 the file has mistakes or something is missing, 78 a component was configured
    /// wrongly.
    Up {
        /// The bridge: a YAML file with one or more objects.
        #[arg(value_name = "BRIDGE.yaml")]
        bridge: PathBuf,
        /// In a checkout too, take the binaries that lie beside this command or on PATH.
        #[arg(long)]
        no_build: bool,
    },
    /// Find every mistake in bridges without running them.
    ///
    /// Nothing is started and nothing is reached over the network. Secrets that a file refers to and does not hold have to
    /// be in the environment, as for `trestle up`.
    ///
    /// Exit codes: 0 nothing or only warnings, 1 mistakes.
    Lint {
        /// Bridges and their tests (`*.test.yaml`).
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// As lines that editors understand, or as a JSON list.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        output: Format,
    },
    /// Run the tests of bridges.
    ///
    /// The tests of `bridge.yaml` stand beside it in `bridge.test.yaml`: events that are sent to a broker, a trigger or a
    /// transformation, and the events that shall arrive, where, with which fields. Nothing is started and nothing is
    /// reached over the network; filters and transformations are the code that runs in the adapters.
    ///
    /// Exit codes: 0 all passed, 1 one failed or has a mistake.
    Test {
        /// Bridges, files of tests, or folders in which all `*.test.yaml` are run.
        #[arg(value_name = "BRIDGE.yaml|FOLDER", required = true)]
        paths: Vec<PathBuf>,
    },
    /// List the sources, brokers and targets there are.
    List {
        /// As a table or as JSON.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        output: Format,
    },
    /// Show what an adapter takes: fields, variables, defaults, event types.
    Describe {
        /// An adapter (webhook-source) or a kind (WebhookSource).
        #[arg(value_name = "ADAPTER|KIND")]
        name: String,
        /// As text or as JSON.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        output: Format,
    },
    /// Become a component (`trestle up` starts them so).
    #[command(name = up::child::SUBCOMMAND, hide = true)]
    RunComponent { parent: u32, program: OsString },
}

/// How to print.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// Does what the command line says.
pub fn run() -> ExitCode {
    let command = Arguments::parse().command;
    if let Command::RunComponent { parent, program } = &command {
        return up::child::become_component(*parent, program);
    }
    let catalogue = match Catalogue::parse(EMBEDDED) {
        Ok(catalogue) => catalogue,
        Err(error) => return fail(&format!("the catalogue of this build is broken: {error}")),
    };
    match command {
        Command::Up { bridge, no_build } => up::run(&bridge, Finder::new(!no_build), &catalogue),
        Command::Lint { files, output } => lint::run(&files, output, &catalogue),
        Command::Test { paths } => test::run(&paths, &catalogue),
        Command::List { output } => list::run(&catalogue, output),
        Command::Describe { name, output } => describe::run(&catalogue, &name, output),
        Command::RunComponent { .. } => ExitCode::SUCCESS,
    }
}

/// Says why on standard error.
pub fn fail(message: &str) -> ExitCode {
    let _ = std::io::Write::write_fmt(&mut std::io::stderr().lock(), format_args!("{message}\n"));
    ExitCode::FAILURE
}
