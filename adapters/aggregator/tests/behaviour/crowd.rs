//! Many at once: groups of all sizes, in any order, from callers of whom some go away and come again, to a sink that fails.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;

use fastrand::Rng;
use kit::{Failure, Reply, ensure};
use serde_json::json;

use crate::bridge::{Bridge, Outcome, part};

const GROUPS: usize = 200;
/// Parts of the largest group.
const PARTS: usize = 12;
/// Callers at once; each takes one part after the other.
const CALLERS: usize = 64;

#[test]
fn every_group_arrives_whole_whatever_happens() -> Outcome {
    let seed = fastrand::u64(..);
    crowd(seed).map_err(|why| format!("seed {seed}: {why}"))
}

fn crowd(seed: u64) -> Outcome {
    let mut random = Rng::with_seed(seed);
    let bridge = Bridge::start(&[("AGGREGATOR_TIMEOUT", "300ms")])?;
    let dice = Mutex::new(random.fork());
    bridge.sink.route(move |_| {
        let mut dice = dice.lock().ok()?;
        (dice.u8(..4) == 0).then(|| if dice.bool() { Reply::status(503) } else { Reply::close() })
    });
    let sizes: Vec<usize> = (0..GROUPS).map(|_| random.usize(1..=PARTS)).collect();
    let mut parts: Vec<(usize, usize)> =
        sizes.iter().enumerate().flat_map(|(group, size)| (0..*size).map(move |n| (group, n))).collect();
    // Neighbours stay near each other, as they come from a splitter.
    for window in parts.chunks_mut(CALLERS) {
        random.shuffle(window);
    }
    parts.reverse();
    let (left, count) = (Mutex::new(parts), sizes.iter().sum::<usize>());
    let call = |mut random: Rng| {
        loop {
            let Some((group, index)) = left.lock().map_err(|_| "a client failed")?.pop() else {
                return Ok::<_, Failure>(());
            };
            let request = part(&group.to_string(), index, sizes[group]);
            if random.u8(..8) == 0 {
                // One who does not stay.
                drop(bridge.restless(&request)?);
            }
            while bridge.send(&request)?.status != 202 {}
        }
    };
    thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let random = random.fork();
                scope.spawn(|| call(random))
            })
            .collect();
        callers.into_iter().try_for_each(|caller| caller.join().map_err(|_| "a client failed")?)
    })?;
    bridge.waits(0)?;
    let mut arrived = BTreeMap::new();
    for request in bridge.sink.requests() {
        let event = request.event()?;
        let group: usize = event.get("splitid").parse().map_err(|_| format!("{event:?}"))?;
        let whole: Vec<_> = (0..sizes[group]).map(|n| json!({ "n": n })).collect();
        ensure(event.json() == json!(whole), || format!("{event:?} is not whole"))?;
        let id = arrived.entry(group).or_insert_with(|| event.get("id").to_owned());
        ensure(id == event.get("id"), || format!("group {group} has two ids"))?;
    }
    ensure(arrived.len() == GROUPS, || format!("{} of {GROUPS} groups of {count} parts", arrived.len()))
}
