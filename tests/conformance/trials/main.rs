//! Every clause of the kit as a trial against the real binary of every adapter.
//!
//! `--clauses` prints the numbered list as Markdown; everything else is as with any Rust test.

#![expect(clippy::disallowed_methods, reason = "trials are no part of the frame")]

mod bad_input;
mod chapters;
mod config;
mod config_ways;
mod describe;
mod framing;
mod life;
mod life_stop;
mod sample;
mod sink_faults;
mod slow_clients;
mod source_retries;
mod sources;
mod target_answers;
mod target_input;
mod targets;
mod webhooks;

include!(concat!(env!("OUT_DIR"), "/harnesses.rs"));

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use kit::clauses::{CLAUSES, markdown};
use libtest_mimic::{Arguments, Trial};

use crate::chapters::CHECKS;

fn main() -> ExitCode {
    let mut out = std::io::stdout();
    if std::env::args().any(|argument| argument == "--clauses") {
        return if out.write_all(markdown().as_bytes()).is_ok() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    let mut arguments = Arguments::from_args();
    // A trial mostly waits for processes and sockets.
    arguments.test_threads.get_or_insert(8);

    let mut trials = vec![Trial::test("the list and the checks agree", || Ok(agree()?))];
    for harness in harnesses() {
        let harness = Arc::new(harness);
        for check in CHECKS.iter().filter(|check| (check.applies)(&harness)) {
            if let Some(reason) = harness.opted_out(check.clause) {
                if !arguments.list {
                    let _ = writeln!(out, "{} leaves out {}: {reason}", harness.name(), check.clause);
                }
                continue;
            }
            let harness = Arc::clone(&harness);
            let name = format!("{}::{}", harness.name(), check.clause);
            trials.push(Trial::test(name, move || Ok((check.run)(&harness)?)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Every clause has one check and every check a clause; an opt-out names a clause that there is.
fn agree() -> Result<(), String> {
    let checked: Vec<_> = CHECKS.iter().map(|check| check.clause).collect();
    let listed: Vec<_> = CLAUSES.iter().map(|clause| clause.id).collect();
    kit::ensure(checked == listed, || format!("listed: {listed:?}, checked: {checked:?}"))
}
