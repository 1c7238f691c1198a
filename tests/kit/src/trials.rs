//! The `main` of a test binary whose tests are trials in lists.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use crate::Failure;

/// A trial and its name.
pub type Named = (&'static str, fn() -> Result<(), Failure>);

/// Runs the trials of these chapters as the command line says; `chapter::name` is what they are called.
#[must_use]
pub fn run(chapters: &[(&str, &[Named])]) -> ExitCode {
    let of_chapter = |&(chapter, trials): &(&str, &[Named])| -> Vec<Trial> {
        trials.iter().map(|&(name, run)| trial(format!("{chapter}::{name}"), run)).collect()
    };
    let trials = chapters.iter().flat_map(of_chapter).collect();
    libtest_mimic::run(&arguments(), trials).exit_code()
}

/// The command line. A trial mostly waits for processes, so that several run at once.
#[must_use]
pub fn arguments() -> Arguments {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(4);
    arguments
}

/// One trial.
pub fn trial(name: impl Into<String>, run: impl FnOnce() -> Result<(), Failure> + Send + 'static) -> Trial {
    Trial::test(name, move || Ok(run()?))
}
