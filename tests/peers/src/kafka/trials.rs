//! Trials of an adapter that share one Kafka: it starts with the first of them and ends with the last.

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use kit::Failure;
use kit::trials::{self, arguments, trial};

use super::Kafka;

/// A trial and its name.
pub type Named = (&'static str, fn(&Kafka) -> Result<(), Failure>);

/// Runs trials that share one, and those that want one of their own, as the command line says.
#[must_use]
pub fn run(shared: &[&[Named]], alone: &[trials::Named]) -> ExitCode {
    let kafka = Arc::new(OnceLock::new());
    let shared = shared.concat().into_iter().map(|(name, run)| {
        let kafka = Arc::clone(&kafka);
        trial(name, move || match kafka.get_or_init(Kafka::start) {
            Ok(kafka) => run(kafka),
            Err(failure) => Err(failure.clone()),
        })
    });
    let alone = alone.iter().map(|&(name, run)| trial(name, run));
    let trials = shared.chain(alone).collect();
    drop(kafka);
    libtest_mimic::run(&arguments(), trials).exit_code()
}

/// The name of a topic that no other trial has.
#[must_use]
pub fn topic() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("topic-{}", NEXT.fetch_add(1, Ordering::SeqCst))
}
