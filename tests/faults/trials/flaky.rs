//! A peer that fails a third of the requests and knows what it has accepted, which it does not always manage to say.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fastrand::Rng;
use kit::{Captured, Failure, Reply, Sink};

/// One in so many failures is a hang until the other side gives up.
const HANGS: u32 = 12;

/// What it says.
pub struct Manner {
    /// When it accepts.
    pub yes: Reply,
    /// When it fails, one of these; a hang is always among them.
    pub no: Vec<Reply>,
    /// Of so many that it has accepted it hangs up on one without a word; `None` never.
    pub mute: Option<u32>,
}

/// The peer. Requests are told apart by their bodies.
pub struct Flaky {
    pub sink: Sink,
    accepted: Arc<Mutex<Vec<Captured>>>,
    unconfirmed: Arc<AtomicUsize>,
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Flaky {
    /// One that answers 202 or 503.
    pub fn start(seed: u64) -> Result<Self, Failure> {
        Self::start_as(seed, Manner { yes: Reply::status(202), no: vec![Reply::status(503)], mute: None })
    }

    pub fn start_as(seed: u64, manner: Manner) -> Result<Self, Failure> {
        let sink = Sink::start()?;
        let accepted = Arc::<Mutex<Vec<Captured>>>::default();
        let unconfirmed = Arc::<AtomicUsize>::default();
        let (log, lost_words, random) =
            (Arc::clone(&accepted), Arc::clone(&unconfirmed), Mutex::new(Rng::with_seed(seed)));
        sink.route(move |request| {
            let mut random = lock(&random);
            if random.u32(..3) == 0 {
                let hangs = manner.no.is_empty() || random.u32(..HANGS) == 0;
                return Some(if hangs {
                    Reply::hang()
                } else {
                    manner.no[random.usize(..manner.no.len())].clone()
                });
            }
            lock(&log).push(request.clone());
            if manner.mute.is_some_and(|one_of| random.u32(..one_of) == 0) {
                lost_words.fetch_add(1, Ordering::SeqCst);
                return Some(Reply::close());
            }
            Some(manner.yes.clone())
        });
        Ok(Self { sink, accepted, unconfirmed })
    }

    /// How many it has accepted and not said so.
    pub fn unconfirmed(&self) -> usize {
        self.unconfirmed.load(Ordering::SeqCst)
    }

    /// How many were accepted.
    pub fn count(&self) -> usize {
        lock(&self.accepted).len()
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
