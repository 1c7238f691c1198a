//! A peer that fails a third of the requests and knows what it has accepted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fastrand::Rng;
use kit::{Captured, Failure, Reply, Sink};

/// One in so many failures is a hang until the other side gives up; the rest are answered 503.
const HANGS: u32 = 12;

/// The peer. Requests are told apart by their bodies.
pub struct Flaky {
    pub sink: Sink,
    accepted: Arc<Mutex<Vec<Captured>>>,
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Flaky {
    pub fn start(seed: u64) -> Result<Self, Failure> {
        let sink = Sink::start()?;
        let accepted = Arc::<Mutex<Vec<Captured>>>::default();
        let (log, random) = (Arc::clone(&accepted), Mutex::new(Rng::with_seed(seed)));
        sink.route(move |request| {
            let mut random = lock(&random);
            if random.u32(..3) == 0 {
                return Some(if random.u32(..HANGS) == 0 { Reply::hang() } else { Reply::status(503) });
            }
            lock(&log).push(request.clone());
            Some(Reply::status(202))
        });
        Ok(Self { sink, accepted })
    }

    /// The bodies that were accepted, in order.
    pub fn accepted(&self) -> Vec<String> {
        lock(&self.accepted).iter().map(Captured::text).collect()
    }

    /// How often each was accepted.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for body in self.accepted() {
            *counts.entry(body).or_default() += 1;
        }
        counts
    }

    /// The requests that were accepted.
    pub fn requests(&self) -> Vec<Captured> {
        lock(&self.accepted).clone()
    }

    /// Waits until one more request arrives, or for a while: who fails may be in a pause.
    pub fn wait_for_a_request(&self, patience: Duration) {
        let (before, begun) = (self.sink.count(), Instant::now());
        while self.sink.count() == before && begun.elapsed() < patience {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
