//! The images, as `ci/images` builds them, run as real containers by podman and runc: nothing is granted to them but what
//! they cannot do without. What cannot be installed, built or run here fails; nothing is left out.

#![expect(clippy::disallowed_methods, reason = "a test tool outside the frame: it reads its environment")]

mod bridge;
mod build;
mod container;
mod end;
mod memory;
mod readme;
mod reproducible;
mod unwinding;

use std::io::{self, Write as _};
use std::process::ExitCode;

use kit::trials::{Named, trial};
use libtest_mimic::Arguments;

const TRIALS: [Named; 9] = [
    ("what is in them, and what they say of themselves", build::contents),
    ("a bill of materials for each", build::bills),
    ("a bridge made of containers passes events end to end", bridge::passes),
    ("SIGTERM: what is in work is finished", end::drains),
    ("the memory limit is honoured", memory::honoured),
    ("the README's commands: docker run", readme::works),
    ("the README's commands: Compose", readme::compose),
    ("a panic does not end the process", unwinding::works),
    ("the same source gives the same bytes", reproducible::same),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Builds and containers of one trial are in the way of another's.
    arguments.test_threads = Some(1);
    // They build images for many minutes: `ci/test --images` asks for that.
    let wanted = std::env::var_os("TRESTLE_IMAGES").is_some();
    let trials = TRIALS.iter().filter(|_| wanted);
    let trials = trials.map(|(name, run)| trial(*name, *run));
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    if wanted && let Err(failure) = build::forget() {
        let _ = writeln!(io::stderr(), "images stay behind: {failure}");
    }
    conclusion.exit_code()
}
