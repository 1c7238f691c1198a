//! The stream is trimmed, and never beyond what somebody needs.

use kit::{Gate, Reply, Sink, eventually};
use peers::Redis;
use serde_json::json;

use crate::{Outcome, answer_by_path, expect, group, settled, start, trigger, wait_for_ids};

fn length(redis: &Redis, stream: &str) -> Option<u64> {
    redis.ask(&["XLEN", stream]).ok()?.as_u64()
}

#[test]
fn down_to_its_length_but_not_beyond_the_slowest() -> Outcome {
    let (sink, redis, gate) = (Sink::start()?, Redis::shared()?, Gate::new());
    answer_by_path(&sink, vec![("/slow", Reply::status(202).held(&gate))]);
    let settings =
        [("REDIS_STREAM", "trimmed"), ("REDIS_STREAM_MAX_LEN", "100"), ("BROKER_MAX_IN_FLIGHT", "16")];
    let triggers = json!({
        "quick": trigger("a", &sink.url("/quick"), json!({})),
        "slow": trigger("a", &sink.url("/slow"), json!({})),
    });
    let broker = start(&redis, "me", triggers, &settings)?;
    for number in 0..1000 {
        broker.accept("a", number)?;
    }
    wait_for_ids(&sink, "/quick", 1000)?;
    settled(&redis, "trimmed", "default.quick")?;
    // Time for a few turns of the trimming.
    std::thread::sleep(std::time::Duration::from_secs(3));
    expect(length(&redis, "trimmed"), Some(1000), "the slow one needs all of it")?;
    gate.open();
    wait_for_ids(&sink, "/slow", 1000)?;
    settled(&redis, "trimmed", "default.slow")?;
    // Nodes of a hundred are removed as a whole.
    let end = 1000..1150;
    for number in end {
        broker.accept("a", number)?;
    }
    eventually("a trimmed stream", || length(&redis, "trimmed").filter(|length| *length <= 400))?;
    wait_for_ids(&sink, "/slow", 1150)?;
    let kept = length(&redis, "trimmed").unwrap_or_default();
    expect(kept >= 100, true, "and the newest are kept")
}

#[test]
fn the_group_of_a_trigger_that_is_gone_expires_when_that_is_asked_for() -> Outcome {
    let (sink, redis) = (Sink::start()?, Redis::shared()?);
    let one = trigger("a", &sink.url("/one"), json!({}));
    let two = trigger("a", &sink.url("/two"), json!({}));
    let triggers = json!({"one": one, "two": two});
    let broker = start(&redis, "me", triggers, &[("REDIS_STREAM", "expiring")])?;
    broker.accept("a", 1)?;
    wait_for_ids(&sink, "/one", 1)?;
    wait_for_ids(&sink, "/two", 1)?;
    drop(broker);
    let settings = [("REDIS_STREAM", "expiring"), ("REDIS_GROUP_EXPIRY", "10ms")];
    let _broker = start(&redis, "me", json!({"one": one}), &settings)?;
    eventually("no group of the other", || group(&redis, "expiring", "default.two").err())?;
    group(&redis, "expiring", "default.one").map(drop)
}
