//! `bench`: builds what `tests/bench` measures and runs it.

use std::process::Command;

use crate::cli::Failure;
use crate::images::Platform;
use crate::images::binaries::{Binaries, Profile};
use crate::workspace::{Workspace, build_arguments};

/// The command line of `bench`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Cases, all without one; or `start`, with names of adapters to start after it.
    cases: Vec<String>,
    /// Pairs of floor and candidate.
    #[arg(long)]
    rounds: Option<u32>,
    /// Measured seconds of each half of a pair.
    #[arg(long)]
    seconds: Option<u64>,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// Runs the measurement; a void one and one over its limit are failures.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Failure> {
    if let [first, names @ ..] = arguments.cases.as_slice()
        && first == "start"
    {
        return start(workspace, names, arguments.json);
    }
    let wanted = programs(&arguments.cases);
    let mut programs: Vec<String> = workspace.adapters()?.into_iter().filter(|name| wanted(name)).collect();
    programs.push("bench".to_owned());
    workspace.cargo(&build_arguments("release", &programs))?;
    let mut command = Command::new(workspace.target()?.join("release/bench"));
    command.arg("run").args(&arguments.cases);
    if let Some(rounds) = arguments.rounds {
        command.args(["--rounds", &rounds.to_string()]);
    }
    if let Some(seconds) = arguments.seconds {
        command.args(["--seconds", &seconds.to_string()]);
    }
    finish(command, arguments.json)
}

/// A case is named after its adapter, or after its adapter with more behind it.
fn programs(cases: &[String]) -> impl Fn(&str) -> bool + '_ {
    const MEASURED: [&str; 13] = [
        "webhook-source",
        "cloudevents-target",
        "memory-broker",
        "transformation",
        "filter",
        "splitter",
        "jq-transformation",
        "xml-to-json-transformation",
        "xslt-transformation",
        "kafka-broker",
        "kafka-source",
        "kafka-target",
        "redis-broker",
    ];
    move |name| {
        MEASURED.contains(&name) && (cases.is_empty() || cases.iter().any(|case| case.starts_with(name)))
    }
}

/// The static build that the images ship, started plainly.
fn start(workspace: &Workspace, names: &[String], json: bool) -> Result<(), Failure> {
    let adapters = workspace.adapters()?;
    if let Some(unknown) = names.iter().find(|name| !adapters.contains(name)) {
        return Err(format!("no adapter {unknown}; there are: {}", adapters.join(", ")).into());
    }
    let names = if names.is_empty() { &adapters } else { names };
    workspace.cargo(&build_arguments("release", &["bench".to_owned()]))?;
    let binaries = Binaries::build(workspace, Platform::host()?, Profile::Image, names)?;
    let mut command = Command::new(workspace.target()?.join("release/bench"));
    command.arg("start").arg("--binaries").arg(binaries.folder).args(names);
    finish(command, json)
}

fn finish(mut command: Command, json: bool) -> Result<(), Failure> {
    if json {
        command.arg("--json");
    }
    if command.status()?.success() {
        Ok(())
    } else {
        Err("a figure is void, over its limit or not to be had".into())
    }
}
