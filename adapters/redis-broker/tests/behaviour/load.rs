//! Many events at once: they travel together.

use kit::{Sink, eventually};
use peers::Redis;
use serde_json::json;

use crate::{Broker, Outcome, expect, settled, start, wait_for_ids};

const SENDERS: u64 = 64;

#[test]
fn many_events_take_few_round_trips() -> Outcome {
    // One of its own: it is stopped for a while.
    let (sink, redis) = (Sink::start()?, Redis::start()?);
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}}});
    let broker = start(&redis, "me", triggers, &[("REDIS_STREAM", "load")])?;
    broker.accept("a", SENDERS)?;
    settled(&redis, "load", "default.t")?;
    let before = eventually("the figure", || round_trips(&broker).ok().filter(|made| *made > 5))?;
    // While it does not answer, all that are sent collect.
    redis.ask(&["CLIENT", "PAUSE", "1500", "WRITE"])?;
    let answers = kit::at_once(0..SENDERS, |number| broker.post("a", number))?;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    expect(statuses, vec![200; SENDERS as usize], "answers")?;
    wait_for_ids(&sink, "/in", SENDERS as usize + 1)?;
    settled(&redis, "load", "default.t")?;
    // The figure is brought up to date each second.
    let after = eventually("the figure", || {
        let now = round_trips(&broker).ok()?;
        (now > before + 2).then_some(now)
    })?;
    let made = after - before;
    kit::ensure(made * 10 <= SENDERS * 3, || format!("{made} round trips for {SENDERS} events"))
}

/// Requests to Redis since the start.
fn round_trips(broker: &Broker) -> Result<u64, kit::Failure> {
    let page = broker.process.metrics()?;
    let line = page.lines().find(|line| line.starts_with("broker_log_round_trips{"));
    let number = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
    number.ok_or_else(|| "no figure".to_owned())
}
