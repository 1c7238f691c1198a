//! The Helm chart under a real Helm: every adapter in every mode, what is refused and how it is named, what Kubernetes's
//! schemas say of the output; the alerts under promtool; the dashboard and the alerts on metrics of real adapters.

mod catalogue;
mod helm;
mod manual;
mod modes;
mod monitoring;
mod queries;
mod refused;
mod scaling;
mod security;
mod wiring;

use std::process::ExitCode;

use kit::Failure;
use libtest_mimic::{Arguments, Failed, Trial};

/// What a trial gives.
type Outcome = Result<(), Failure>;

/// Trials by their names.
type Trials = &'static [(&'static str, fn() -> Outcome)];

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for (part, list) in [
        ("modes", modes::TRIALS),
        ("refused", refused::TRIALS),
        ("scaling", scaling::TRIALS),
        ("security", security::TRIALS),
        ("wiring", wiring::TRIALS),
        ("monitoring", monitoring::TRIALS),
        ("manual", manual::TRIALS),
    ] {
        for (name, run) in list {
            trials.push(Trial::test(format!("{part}: {name}"), move || run().map_err(Failed::from)));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
