//! Redis goes away and comes back.

use kit::{Sink, eventually};
use peers::Redis;
use serde_json::json;

use crate::{Outcome, begin, expect, numbered, settled, start, wait_for_different, wait_for_ids};

#[test]
fn while_redis_is_away_nothing_is_taken_in_and_nothing_is_lost() -> Outcome {
    let (sink, mut redis) = (Sink::start()?, Redis::start_kept()?);
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}}});
    let mut broker = start(&redis, "me", triggers, &[("REDIS_STREAM", "away")])?;
    broker.accept("a", 0)?;
    wait_for_ids(&sink, "/in", 1)?;
    for round in 1..4 {
        redis.end();
        let refused = eventually("an answer", || broker.post("a", 100).ok())?;
        refused.expect(503)?;
        expect(refused.headers.get("retry-after").is_some(), true, "when to come back")?;
        if round == 1 {
            broker.process.wait_for_status("/readyz", 503)?;
            expect(broker.get("/healthz")?.status, 200, "it lives")?;
        }
        redis.restart()?;
        eventually("accepted", || broker.post("a", round).ok().filter(|answer| answer.status == 200))?;
        wait_for_different(&sink, "/in", round as usize + 1)?;
    }
    broker.process.wait_for_status("/readyz", 200)?;
    expect(wait_for_different(&sink, "/in", 4)?, numbered(0..4), "each that was accepted")?;
    settled(&redis, "away", "default.t")
}

#[test]
fn a_redis_that_forgot_everything_is_used_again() -> Outcome {
    let (sink, mut redis) = (Sink::start()?, Redis::start()?);
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}}});
    let broker = start(&redis, "me", triggers, &[("REDIS_STREAM", "forgotten")])?;
    broker.accept("a", 1)?;
    wait_for_ids(&sink, "/in", 1)?;
    redis.restart()?;
    eventually("accepted", || broker.post("a", 2).ok().filter(|answer| answer.status == 200))?;
    expect(
        wait_for_ids(&sink, "/in", 2)?,
        numbered([1, 2]),
        "also what came before the group was made again",
    )?;
    settled(&redis, "forgotten", "default.t")
}

#[test]
fn it_waits_for_a_redis_that_is_not_there_yet() -> Outcome {
    let (sink, mut redis) = (Sink::start()?, Redis::start_kept()?);
    let address = redis.address().to_string();
    redis.end();
    let document = json!({"triggers": {"t": {"target": {"url": sink.url("/in")}}}});
    let settings =
        [("REDIS_ADDRESS", &*address), ("REDIS_PASSWORD", Redis::PASSWORD), ("REDIS_STREAM", "later")];
    let mut broker = begin(&document, &settings)?;
    let refused = eventually("an answer", || broker.post("a", 1).ok())?;
    refused.expect(503)?;
    redis.restart()?;
    broker.process.wait_for_status("/readyz", 200)?;
    broker.accept("a", 2)?;
    expect(wait_for_ids(&sink, "/in", 1)?, numbered([2]), "what was accepted")
}
