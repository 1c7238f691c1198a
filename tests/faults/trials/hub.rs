//! The Event Hubs target between callers that send an event again until it is answered 2xx, and a double of Event Hubs, which
//! fails a third of the batches and loses some of its confirmations. A hub may get an event twice, under the same id.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use kit::{Example, Failure, PATIENCE, Request};
use peers::{EventHubs, eventhubs::Answer};

use crate::kept;
use crate::target::taken;

const ADAPTER: &str = "azure-eventhubs-target";

pub fn trial(seed: u64) -> Result<(), Failure> {
    let mut random = Rng::with_seed(seed);
    let hub = EventHubs::start(4)?;
    let unconfirmed = Arc::<AtomicUsize>::default();
    flaky(&hub, random.u64(..), &unconfirmed);
    let environment = [
        ("EVENTHUB_RESOURCE_ID", EventHubs::resource_id()),
        ("EVENTHUB_CONNECTION_STRING", EventHubs::connection_string(true)),
        ("EVENTHUB_ENDPOINT", hub.endpoint()),
    ];
    let seen = Cell::new(0);
    let wait = || {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE && seen.replace(hub.sends()) == hub.sends() {
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    let taken = taken(ADAPTER, &environment, request, wait, &mut random)?;
    let kept = hub.events().into_iter().map(|event| event.body().to_vec());
    kept::judge(ADAPTER, &taken, kept, unconfirmed.load(Ordering::SeqCst), seed)
}

/// Refuses, breaks the connection before, or after it has kept a batch; counts the events of these.
fn flaky(hub: &EventHubs, seed: u64, unconfirmed: &Arc<AtomicUsize>) {
    let (mut random, unconfirmed) = (Rng::with_seed(seed), Arc::clone(unconfirmed));
    hub.answers(move |bodies| match random.u32(..30) {
        0..=6 => Answer::Reject("com.microsoft:server-busy"),
        7 => Answer::CutBefore,
        8 => {
            unconfirmed.fetch_add(bodies.len(), Ordering::SeqCst);
            Answer::CutAfter
        }
        _ => Answer::Accept,
    });
}

fn request(number: usize) -> Request {
    Example::new("com.example.event", "application/json", number.to_string()).binary(number as u64)
}
