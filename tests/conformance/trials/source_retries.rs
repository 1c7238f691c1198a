//! S: a sink that fails, refuses or is slow.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kit::{Captured, Event, Failure, Gate, Harness, Reply, Running, Shape, World, ensure};

use crate::sources::deliver;

/// A world whose webhook has time for retries.
fn patient(harness: &Arc<Harness>) -> Result<World, Failure> {
    let mut world = World::new(harness)?;
    world.set("DELIVERY_DEADLINE", "60s");
    Ok(world)
}

/// Provokes one event whose deliveries get these replies, then 202, and gives every attempt.
fn attempts(running: &Running, replies: Vec<Reply>) -> Result<Vec<Captured>, Failure> {
    let count = replies.len() + 1;
    running.sink.restart(replies);
    if let Some(answer) = running.provoke(1)? {
        ensure(answer.is_success(), || {
            format!("the webhook was answered {} {}", answer.status, answer.text())
        })?;
    }
    running.sink.wait_for(count)
}

/// Asserts that all attempts carry one and the same event.
fn same_event(attempts: &[Captured]) -> Result<Event, Failure> {
    let first = attempts[0].event()?;
    for attempt in attempts {
        let event = attempt.event()?;
        let same = event.get("id") == first.get("id") && event.data == first.data;
        ensure(same, || format!("retried as another event: {first:?}, then {event:?}"))?;
    }
    Ok(first)
}

/// S6.
pub fn retried(harness: &Arc<Harness>) -> Result<(), Failure> {
    let running = patient(harness)?.start()?;
    let twice = attempts(&running, vec![Reply::status(503), Reply::status(503)])?;
    same_event(&twice[..3])?;
    for status in [404, 408, 409, 425, 429, 500, 502, 503, 504] {
        let twice =
            attempts(&running, vec![Reply::status(status)]).map_err(|error| format!("{status}: {error}"))?;
        same_event(&twice[..2]).map_err(|error| format!("{status}: {error}"))?;
    }
    let after_close = attempts(&running, vec![Reply::close()]).map_err(|error| format!("closed: {error}"))?;
    same_event(&after_close[..2]).map(drop)
}

/// S7.
pub fn dead_letters(harness: &Arc<Harness>) -> Result<(), Failure> {
    let mut world = patient(harness)?;
    let dead_letters = world.dead_letters.url("/dead?x=1");
    world.set("DEAD_LETTER_SINK", dead_letters);
    let running = world.start()?;
    for (number, status) in [400, 413, 415, 422, 410].into_iter().enumerate() {
        running.sink.restart([Reply::status(status).body("no, because of this")]);
        if let Some(answer) = running.provoke(1)? {
            ensure(answer.is_success(), || format!("{status}: the webhook was answered {}", answer.status))?;
        }
        let dead = running.dead_letters.wait_for(number + 1)?[number].clone();
        ensure(dead.path == "/dead?x=1", || format!("sent to {}", dead.path))?;
        let (dead, first) = (dead.event()?, running.sink.requests()[0].event()?);
        ensure(dead.get("id") == first.get("id") && dead.data == first.data, || {
            format!("{first:?} became {dead:?}")
        })?;
        ensure(dead.get("knativeerrorcode") == status.to_string(), || format!("{status}: {dead:?}"))?;
        ensure(dead.get("knativeerrordest") == running.sink.url("/"), || format!("{dead:?}"))?;
        // Base64 of the sink's answer.
        ensure(dead.get("knativeerrordata") == "bm8sIGJlY2F1c2Ugb2YgdGhpcw==", || format!("{dead:?}"))?;
        once(&running, first.get("id"))?;
    }
    if harness.shape == Shape::Webhook {
        redirects(harness)?;
    }
    Ok(())
}

/// The sink saw this event once.
fn once(running: &Running, id: &str) -> Result<(), Failure> {
    let seen = running.sink.requests();
    let count =
        seen.iter().filter(|request| request.event().is_ok_and(|event| event.get("id") == id)).count();
    ensure(count == 1, || format!("an event that the sink refused was sent {count} times"))
}

/// Where a sink points to is never asked, and the event is not lost in silence.
fn redirects(harness: &Arc<Harness>) -> Result<(), Failure> {
    let mut world = World::new(harness)?;
    world.set("DELIVERY_DEADLINE", "2s");
    let running = world.start()?;
    for status in [301, 302, 303, 307, 308] {
        running
            .sink
            .always(Reply::status(status).header("Location", &running.dead_letters.url("/elsewhere")));
        let answer = running.provoke(1)?.ok_or("no answer")?;
        ensure(answer.status >= 500, || format!("{status}: the webhook was answered {}", answer.status))?;
    }
    ensure(running.dead_letters.count() == 0, || "a redirect was followed".to_owned())
}

/// S8.
pub fn retry_after(harness: &Arc<Harness>) -> Result<(), Failure> {
    let running = patient(harness)?.start()?;
    for status in [429, 503] {
        let twice = attempts(&running, vec![Reply::status(status).header("Retry-After", "2")])?;
        same_event(&twice[..2])?;
        let gap = twice[1].at.duration_since(twice[0].at);
        // Both ends of the gap are taken at the sink; a tenth is for the scheduler between answer and clock.
        ensure(gap >= Duration::from_millis(1900), || format!("{status}: tried again after {gap:?}"))?;
    }
    Ok(())
}

/// S9.
pub fn sink_first(harness: &Arc<Harness>) -> Result<(), Failure> {
    let running = patient(harness)?.start()?;
    if harness.shape == Shape::Webhook {
        let gate = Gate::new();
        running.sink.script([Reply::status(202).held(&gate)]);
        let asking = running.genuine(1)?.send_later(running.address);
        running.sink.wait_for(1)?;
        // Not a wait for something to happen: a span in which an early answer would show.
        std::thread::sleep(Duration::from_millis(200));
        let opened = Instant::now();
        gate.open();
        let answer = kit::answer(asking)?;
        ensure(answer.is_success(), || format!("answered {}", answer.status))?;
        return ensure(answer.at >= opened, || {
            "the webhook was answered before the sink answered".to_owned()
        });
    }
    // Whatever happened upstream while the sink was out of order comes through in the end.
    running.sink.always(Reply::status(503));
    // What came before was accepted.
    let before = running.sink.count();
    running.provoke(1)?;
    let first = running.sink.wait_for(before + 2)?[before].event()?;
    // Forgets the refused ones and accepts from then on, in one step.
    running.sink.reset();
    kit::eventually("the event of the time of the outage", || {
        running
            .sink
            .requests()
            .iter()
            .any(|request| request.event().is_ok_and(|event| event.get("id") == first.get("id")))
            .then_some(())
    })
}

/// S11.
pub fn sink_timeout(harness: &Arc<Harness>) -> Result<(), Failure> {
    let mut world = patient(harness)?;
    world.set("K_SINK_TIMEOUT", "1");
    let running = world.start()?;
    let twice = attempts(&running, vec![Reply::hang()])?;
    same_event(&twice[..2])?;
    let gap = twice[1].at.duration_since(twice[0].at);
    ensure(gap < Duration::from_secs(20), || {
        format!("tried again after {gap:?}: the setting is not honoured")
    })?;
    // A number that is none means no limit of one's own, and is no reason to stop.
    let mut world = World::new(harness)?;
    world.set("K_SINK_TIMEOUT", "-1");
    deliver(&world.start()?, 1).map(drop)
}
