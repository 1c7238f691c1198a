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

use kit::trials::{self, Named};

fn main() -> ExitCode {
    trials::run(&[("go", go::TRIALS), ("rust", rust::TRIALS), ("conformance", conformance::TRIALS)])
}
