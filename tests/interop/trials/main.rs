//! Events exchanged with foreign CloudEvents SDKs, in both directions, over real sockets: theirs to `display-target`,
//! ours from `webhook-source` and `memory-broker`. What arrives is compared field by field.
//!
//! Needs Go: the SDK for Go is built by the trials, and when it cannot be they fail.

mod adapters;
mod cases;
mod conformance;
mod go;
mod peer;
mod rust;

use std::process::ExitCode;

use kit::Failure;
use libtest_mimic::{Arguments, Trial};

/// A trial by name.
type Named = (&'static str, fn() -> Result<(), Failure>);

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A trial mostly waits for processes.
    arguments.test_threads.get_or_insert(4);
    let chapters: [(&str, &[Named]); 3] =
        [("go", go::TRIALS), ("rust", rust::TRIALS), ("conformance", conformance::TRIALS)];
    let trials = chapters
        .iter()
        .flat_map(|(chapter, trials)| {
            trials.iter().map(move |(name, run)| (format!("{chapter}::{name}"), *run))
        })
        .map(|(name, run)| Trial::test(name, move || Ok(run()?)))
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
