//! Whole bridges, run by the `trestle` command as a user runs it.

mod answers;
mod brokers;
mod command;
mod controller;
mod examples;
mod reload;
mod render;
mod rendered;
mod run;
mod send;
mod stop;
mod up;
mod watch;

use std::process::ExitCode;

use kit::Failure;
use libtest_mimic::{Arguments, Trial};

/// A trial by name.
type Named = (&'static str, fn() -> Result<(), Failure>);

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A trial mostly waits for processes.
    arguments.test_threads.get_or_insert(4);
    let chapters: [(&str, &[Named]); 12] = [
        ("command", command::TRIALS),
        ("controller", controller::TRIALS),
        ("examples", examples::TRIALS),
        ("answers", answers::TRIALS),
        ("brokers", brokers::TRIALS),
        ("render", render::TRIALS),
        ("rendered", rendered::TRIALS),
        ("up", run::TRIALS),
        ("send", send::TRIALS),
        ("watch", watch::TRIALS),
        ("reload", reload::TRIALS),
        ("stop", stop::TRIALS),
    ];
    let trials = chapters
        .iter()
        .flat_map(|(chapter, trials)| {
            trials.iter().map(move |(name, run)| (format!("{chapter}::{name}"), *run))
        })
        .map(|(name, run)| Trial::test(name, move || Ok(run()?)))
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
