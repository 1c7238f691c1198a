//! The conformance kit: runs the real binary of an adapter and looks at it from outside, as a client, a sink, an
//! upstream and an operator would. It shares no code with what it checks.
//!
//! - [`Process`] is a running binary, [`Adapter`] one that is spoken to, [`Sink`] a scripted HTTP peer on loopback,
//!   [`Request`] a small client.
//! - [`Folder`] holds a test's files, [`at_once`] and [`eventually`] are for what happens beside it, [`broker`] is for brokers,
//!   [`trials`] for binaries whose tests stand in lists.
//! - [`Harness`] is what one adapter tells the kit about itself, [`World`] and [`Running`] are a trial's surroundings.
//! - [`clauses`] is the numbered list of what every adapter must keep.

#![expect(
    clippy::disallowed_methods,
    reason = "a test tool outside the frame: it polls, and reads its environment"
)]

mod adapter;
pub mod broker;
pub mod clauses;
pub mod event;
mod example;
mod folder;
pub mod harness;
pub mod http;
mod metrics;
pub mod process;
mod sample;
pub mod sink;
pub mod tls;
pub mod trials;
mod wire;
pub mod world;

use std::thread;
use std::time::{Duration, Instant};

pub use adapter::Adapter;
pub use event::Event;
pub use example::Example;
pub use folder::Folder;
pub use harness::{Credentials, Fault, Harness, Shape};
pub use http::{Request, Response, answer};
pub use process::{Line, Process};
pub use sample::payload;
pub use sink::{Captured, Gate, Reply, Sink};
pub use tls::Authority;
pub use wire::Headers;
pub use world::{Running, World};

/// What went wrong, in words for the person who reads the test's output.
pub type Failure = String;

/// How long the kit waits for what must happen: long enough for a busy machine, so that only a real fault reaches it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer.
///
/// # Errors
/// When there is none within [`PATIENCE`].
pub fn eventually<T>(what: &str, ask: impl FnMut() -> Option<T>) -> Result<T, Failure> {
    within(PATIENCE, what, ask)
}

/// As [`eventually`], with a time of its own.
///
/// # Errors
/// When there is no answer within `patience`.
pub fn within<T>(patience: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> Result<T, Failure> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        if start.elapsed() > patience {
            return Err(format!("not within {} s: {what}", patience.as_secs()));
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Does what measures once more, and a third time, when it fails: for a bound that a busy machine may miss by chance, and one that
/// is broken always.
///
/// # Errors
/// That of the third time.
pub fn best_of_three(measure: impl Fn() -> Result<(), Failure>) -> Result<(), Failure> {
    measure().or_else(|_| measure()).or_else(|_| measure())
}

/// Does it with all of them at once, each on a thread of its own, and gives what came of them, in their order.
///
/// # Errors
/// The first of them that failed.
pub fn at_once<A: Send, T: Send>(
    all: impl IntoIterator<Item = A>,
    run: impl Fn(A) -> Result<T, Failure> + Sync,
) -> Result<Vec<T>, Failure> {
    thread::scope(|scope| {
        let run = &run;
        let running: Vec<_> = all.into_iter().map(|one| scope.spawn(move || run(one))).collect();
        running.into_iter().map(|one| one.join().map_err(|_| "a thread panicked")?).collect()
    })
}

/// Fails with a message when something does not hold.
///
/// # Errors
/// When `holds` is false.
pub fn ensure(holds: bool, message: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(message()) }
}

#[cfg(test)]
mod tests;
