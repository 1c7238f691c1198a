//! Many events at once: they travel together.

use kit::{Sink, eventually};
use peers::Redis;
use serde_json::json;

use crate::{Outcome, expect, settled, start, wait_for_ids};

const SENDERS: u64 = 64;

/// Best of three: one leaves each 20 ms while answers come in, and a busy machine takes longer for them.
#[test]
fn many_events_take_few_round_trips() -> Outcome {
    kit::best_of_three(few_round_trips)
}

fn few_round_trips() -> Outcome {
    // One of its own: it is stopped for a while.
    let (sink, redis) = (Sink::start()?, Redis::start()?);
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}}});
    let broker = start(&redis, "me", triggers, &[("REDIS_STREAM", "load")])?;
    broker.accept("a", SENDERS)?;
    settled(&redis, "load", "default.t")?;
    // Requests to Redis since the start.
    let trips = || broker.process.figure("broker_log_round_trips{").ok();
    let before = eventually("the figure", || trips().filter(|made| *made > 5))?;
    // While it does not answer, all that are sent collect.
    redis.ask(&["CLIENT", "PAUSE", "1500", "WRITE"])?;
    let answers = kit::at_once(0..SENDERS, |number| broker.post("a", number))?;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    expect(statuses, vec![200; SENDERS as usize], "answers")?;
    wait_for_ids(&sink, "/in", SENDERS as usize + 1)?;
    settled(&redis, "load", "default.t")?;
    // The figure is brought up to date each second.
    let after = eventually("the figure", || trips().filter(|now| *now > before + 2))?;
    let made = after - before;
    kit::ensure(made * 10 <= SENDERS * 3, || format!("{made} round trips for {SENDERS} events"))
}
