//! W: what a vendor sees of a webhook source.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kit::{Failure, Harness, Reply, Sink, World, ensure};

/// W1.
pub fn credentials(harness: &Arc<Harness>) -> Result<(), Failure> {
    ensure(!harness.credentials.is_empty(), || "the harness gives no credentials, and no reason".to_owned())?;
    for way in &harness.credentials {
        let mut world = World::new(harness)?;
        for (name, value) in way.environment() {
            world.set(name, value);
        }
        let running = world.start()?;
        for (name, forged) in &way.forged {
            let answer = running.send(forged)?;
            let refused = matches!(answer.status, 401 | 403);
            ensure(refused, || format!("{}, {name}: {} {}", way.name(), answer.status, answer.text()))?;
            ensure(running.sink.count() == 0, || format!("{}, {name}: an event was sent", way.name()))?;
        }
        for number in 1..4 {
            let answer = running.send(&(way.genuine)(number))?;
            ensure(answer.is_success(), || {
                format!("{}, genuine: {} {}", way.name(), answer.status, answer.text())
            })?;
        }
        let seen = running.sink.count();
        ensure(seen == 3, || format!("{}: 3 genuine requests, {seen} events", way.name()))?;
    }
    Ok(())
}

/// W2.
pub fn sink_down(harness: &Arc<Harness>) -> Result<(), Failure> {
    let mut world = World::new(harness)?;
    world.set("DELIVERY_DEADLINE", "1s");
    let running = world.start()?;
    for reply in [Reply::status(503), Reply::status(500), Reply::status(429), Reply::close(), Reply::hang()] {
        let what = format!("{reply:?}");
        running.sink.always(reply);
        let asked = Instant::now();
        let answer = running.send(&running.genuine(1)?)?;
        ensure(answer.status == 503, || format!("{what}: {} {}", answer.status, answer.text()))?;
        // Not the default deadline of 10 s, nor the time-out of a sink, 30 s.
        let took = answer.at.duration_since(asked);
        ensure(took < Duration::from_secs(8), || format!("{what}: answered after {took:?}"))?;
    }
    running.sink.always(Reply::status(202));
    // Not at once: the deadline is short for a busy machine.
    kit::eventually("an event when the sink is back", || {
        running.send(&running.genuine(2).ok()?).ok().filter(|answer| answer.is_success()).map(drop)
    })?;

    let mut world = World::new(harness)?;
    world.set("DELIVERY_DEADLINE", "1s");
    world.sink = Sink::refusing()?;
    let running = world.start_unready()?;
    let answer = running.send(&running.genuine(1)?)?;
    ensure(answer.status == 503, || format!("nobody listens: {}", answer.status))
}

/// W3.
pub fn oversize(harness: &Arc<Harness>) -> Result<(), Failure> {
    let mut world = World::new(harness)?;
    world.set("MAX_EVENT_BYTES", "65536");
    let running = world.start()?;
    let mut request = running.genuine(1)?;
    request.body = vec![b'x'; 65537];
    let answer = running.send(&request)?;
    ensure(answer.status == 413, || format!("65537 bytes: {}", answer.status))?;
    ensure(running.sink.count() == 0, || "an event was sent".to_owned())?;
    let answer = running.send(&running.genuine(2)?)?;
    ensure(answer.is_success(), || format!("the next request: {}", answer.status))
}

/// W4.
pub fn refused(harness: &Arc<Harness>) -> Result<(), Failure> {
    let running = World::new(harness)?.start()?;
    for status in [400, 413, 415, 422] {
        running.sink.reset();
        running.sink.always(Reply::status(status).body("sink's own words"));
        let answer = running.send(&running.genuine(1)?)?;
        ensure(answer.status == 502, || format!("{status}: {} {}", answer.status, answer.text()))?;
        let text = answer.text();
        ensure(text.contains(&status.to_string()), || format!("{status} is not named: {text}"))?;
        let count = running.sink.count();
        ensure(count == 1, || format!("{status}: sent {count} times"))?;
    }
    Ok(())
}
