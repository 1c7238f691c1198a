//! A network that fails before a real peer: requests that never come there, answers that never come back.

use std::io::Cursor;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fastrand::Rng;
use kit::http::exchange;
use kit::{Captured, Failure, PATIENCE, Reply, Request, Sink};

use crate::flaky::lock;

/// Of so many requests that came there one is not answered.
const MUTE: u32 = 20;
/// One in so many failures is a hang until the other side gives up.
const HANGS: u32 = 12;

/// What stands before the peer; a third of the requests fail.
pub struct Front {
    pub sink: Sink,
    unconfirmed: Arc<AtomicUsize>,
}

impl Front {
    /// `weight` says how many events a request carries.
    pub fn before(to: SocketAddr, random: Rng, weight: fn(&Captured) -> usize) -> Result<Self, Failure> {
        let sink = Sink::start()?;
        let (from, dice) = (sink.address(), Mutex::new(random));
        let unconfirmed = Arc::new(AtomicUsize::new(0));
        let lost_words = Arc::clone(&unconfirmed);
        sink.route(move |request| {
            let (fails, hangs, mute) = {
                let mut dice = lock(&dice);
                (dice.u32(..3) == 0, dice.u32(..HANGS) == 0, dice.u32(..MUTE) == 0)
            };
            Some(match (fails, hangs, mute) {
                (true, true, _) => Reply::hang(),
                (true, false, _) => Reply::status(503),
                (false, _, false) => Reply::relayed(to),
                (false, _, true) => {
                    if pass_on(request, from, to).is_some() {
                        lost_words.fetch_add(weight(request), Ordering::SeqCst);
                    }
                    Reply::close()
                }
            })
        });
        Ok(Self { sink, unconfirmed })
    }

    /// How many events the peer has accepted without managing to say so.
    pub fn unconfirmed(&self) -> usize {
        self.unconfirmed.load(Ordering::SeqCst)
    }

    /// Waits until one more request arrives.
    pub fn wait_for_a_request(&self) {
        let (before, begun) = (self.sink.count(), Instant::now());
        while self.sink.count() == before && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Lets the peer do it; `None` when it did not.
fn pass_on(request: &Captured, from: SocketAddr, to: SocketAddr) -> Option<()> {
    const OWN: [&str; 4] = ["host", "connection", "content-length", "transfer-encoding"];
    let mut passed = Request::new(&request.method, &request.path);
    let fields =
        request.headers.0.iter().filter(|(name, _)| !OWN.contains(&name.to_ascii_lowercase().as_str()));
    passed.headers.extend(fields.map(|(name, value)| (name.to_string(), value.to_string())));
    passed.body.clone_from(&request.body);
    // The signature is for the address that the target knows.
    let (answer, _) = exchange(to, Cursor::new(passed.to_bytes(from))).ok()?;
    answer.is_success().then_some(())
}
