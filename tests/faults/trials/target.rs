//! `http-target` between callers that send an event again until it is answered 2xx, and an endpoint that fails.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use kit::{Example, Failure, PATIENCE, Process, ensure};

use crate::flaky::{Flaky, lock};
use crate::report::Report;

const KILLS: usize = 24;
const CALLERS: usize = 4;

/// What the callers see.
struct Callers {
    /// Where the target is now.
    address: Mutex<SocketAddr>,
    next: AtomicUsize,
    done: AtomicBool,
    /// Numbers of the events that were answered 2xx.
    taken: Mutex<Vec<usize>>,
}

pub fn trial(seed: u64) -> Result<(), Failure> {
    let mut random = Rng::with_seed(seed);
    let endpoint = Flaky::start(random.u64(..))?;
    let environment: Vec<_> = [
        ("HTTP_EVENT_TYPE", "com.example.answer".to_owned()),
        ("HTTP_EVENT_SOURCE", "/faults".to_owned()),
        ("HTTP_URL", endpoint.sink.url("/")),
        ("HTTP_METHOD", "POST".to_owned()),
        ("HTTP_TIMEOUT", "2s".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let mut process = Process::start("http-target", &[], &environment)?;
    let callers = Callers {
        address: Mutex::new(process.address()?),
        next: AtomicUsize::new(0),
        done: AtomicBool::new(false),
        taken: Mutex::default(),
    };
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| callers.call());
        }
        let kills = (0..KILLS).try_for_each(|_| {
            endpoint.wait_for_a_request(PATIENCE);
            thread::sleep(Duration::from_micros(random.u64(..200_000)));
            let next = Process::start("http-target", &[], &environment)?;
            // SIGKILL, and the end of the process.
            drop(std::mem::replace(&mut process, next));
            *lock(&callers.address) = process.address()?;
            Ok::<_, Failure>(())
        });
        callers.done.store(true, Ordering::SeqCst);
        kills
    })?;
    callers.judge(&endpoint, seed)
}

impl Callers {
    /// Sends one event after the other, each until it is answered 2xx.
    fn call(&self) {
        while !self.done.load(Ordering::SeqCst) {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            let request =
                Example::new("com.example.event", "text/plain", number.to_string()).binary(number as u64);
            while !self.done.load(Ordering::SeqCst) {
                let address = *lock(&self.address);
                if request.send(address).is_ok_and(|answer| answer.is_success()) {
                    lock(&self.taken).push(number);
                    break;
                }
                thread::sleep(Duration::from_millis(5));
            }
        }
    }

    fn judge(&self, endpoint: &Flaky, seed: u64) -> Result<(), Failure> {
        let (taken, counts) = (lock(&self.taken), endpoint.counts());
        let lost: Vec<_> = taken.iter().filter(|number| !counts.contains_key(&number.to_string())).collect();
        let report = Report {
            adapter: "http-target",
            kills: KILLS,
            taken: taken.len(),
            lost: lost.len(),
            duplicates: counts.values().map(|count| count - 1).sum(),
            for_each_kill: CALLERS,
            seed,
        };
        report.print()?;
        ensure(lost.is_empty(), || format!("lost: {lost:?}"))
    }
}
