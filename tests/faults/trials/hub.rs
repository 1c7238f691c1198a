//! The Event Hubs target between callers that send an event again until it is answered 2xx, and a double of Event Hubs, which
//! fails a third of the batches and loses some of its confirmations. A hub may get an event twice, under the same id.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use kit::{Example, Failure, PATIENCE, Request, ensure};
use peers::{EventHubs, eventhubs::Answer};
use serde_json::Value;

use crate::report::Report;
use crate::target::{CALLERS, KILLS, taken};

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
    let mut ids = BTreeMap::<u64, Vec<String>>::new();
    for event in hub.events() {
        let event: Value = serde_json::from_slice(&event.body()).map_err(|error| error.to_string())?;
        let number = event["data"].as_u64().ok_or_else(|| format!("no number in {event}"))?;
        ids.entry(number).or_default().push(event["id"].to_string());
    }
    let lost: Vec<_> = taken.iter().filter(|number| !ids.contains_key(&(**number as u64))).collect();
    let unconfirmed = unconfirmed.load(Ordering::SeqCst);
    let report = Report {
        adapter: ADAPTER,
        fate: "killed at random",
        kills: KILLS,
        taken: taken.len(),
        lost: lost.len(),
        duplicates: ids.values().map(|ids| ids.len() - 1).sum(),
        for_each_kill: CALLERS,
        unconfirmed,
        seed,
    };
    report.print()?;
    ensure(lost.is_empty(), || format!("lost: {lost:?}"))?;
    ensure(unconfirmed > 0, || "every confirmation came back".to_owned())?;
    let same = ids.values().all(|ids| ids.iter().all(|id| *id == ids[0]));
    ensure(same, || format!("one event with several ids: {ids:?}"))
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
