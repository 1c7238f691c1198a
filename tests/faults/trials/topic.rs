//! The Pub/Sub target between callers that send an event again until it is answered 2xx, and Google's fake, which fails a
//! third of the requests and loses some of its answers. A topic may get an event twice, under the same id of the event.

use std::cell::Cell;
use std::time::{Duration, Instant};

use fastrand::Rng;
use kit::{Example, Failure, PATIENCE, Request};
use peers::Pstest;

use crate::kept;
use crate::target::taken;

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
    let kept: Vec<_> = pubsub.messages()?.into_iter().map(|message| message.data.to_vec()).collect();
    let unconfirmed = usize::try_from(pubsub.calls("Publish")?.unconfirmed).unwrap_or_default();
    kept::judge(ADAPTER, &taken, kept, unconfirmed, seed)
}

fn request(number: usize) -> Request {
    Example::new("com.example.event", "application/json", number.to_string()).binary(number as u64)
}
