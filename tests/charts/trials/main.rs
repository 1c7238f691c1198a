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
use kit::trials::{self, Named};

/// What a trial says.
type Outcome = Result<(), Failure>;
/// The trials of one part.
type Trials = &'static [Named];

fn main() -> ExitCode {
    trials::run(&[
        ("modes", modes::TRIALS),
        ("refused", refused::TRIALS),
        ("scaling", scaling::TRIALS),
        ("security", security::TRIALS),
        ("wiring", wiring::TRIALS),
        ("monitoring", monitoring::TRIALS),
        ("manual", manual::TRIALS),
    ])
}
