//! The Pub/Sub target between callers that send an event again until it is answered 2xx, and Google's fake, which fails a
//! third of the requests and loses some of its answers. A topic may get an event twice, under the same id of the event.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fastrand::Rng;
use kit::{Example, Failure, PATIENCE, Request, ensure};
use peers::Pstest;
use serde_json::Value;

use crate::report::Report;
use crate::target::{CALLERS, KILLS, taken};

const ADAPTER: &str = "google-cloud-pubsub-target";

pub fn trial(seed: u64) -> Result<(), Failure> {
    let mut random = Rng::with_seed(seed);
    let pubsub = Pstest::start()?;
    pubsub.topic(Pstest::TOPIC)?;
    pubsub.flaky("Publish")?;
    let environment = [
        ("GCLOUD_PUBSUB_TOPIC", Pstest::TOPIC.to_owned()),
        ("GCLOUD_PUBSUB_TIMEOUT", "1s".to_owned()),
        ("PUBSUB_EMULATOR_HOST", pubsub.emulator()),
    ];
    let seen = Cell::new(0);
    let wait = || {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let count = pubsub.calls("Publish").map_or(0, |calls| calls.count);
            if seen.replace(count) != count {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    let taken = taken(ADAPTER, &environment, request, wait, &mut random)?;
    let mut ids = BTreeMap::<u64, Vec<String>>::new();
    for message in pubsub.messages()? {
        let event: Value = serde_json::from_slice(&message.data).map_err(|error| error.to_string())?;
        let number = event["data"].as_u64().ok_or_else(|| format!("no number in {event}"))?;
        ids.entry(number).or_default().push(event["id"].to_string());
    }
    let lost: Vec<_> = taken.iter().filter(|number| !ids.contains_key(&(**number as u64))).collect();
    let unconfirmed = usize::try_from(pubsub.calls("Publish")?.unconfirmed).unwrap_or_default();
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
    ensure(unconfirmed > 0, || "every answer came back".to_owned())?;
    let same = ids.values().all(|ids| ids.iter().all(|id| *id == ids[0]));
    ensure(same, || format!("one event with several ids: {ids:?}"))
}

fn request(number: usize) -> Request {
    Example::new("com.example.event", "application/json", number.to_string()).binary(number as u64)
}
