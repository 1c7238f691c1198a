//! X: the other side misbehaves, and what all of it costs.

use std::sync::Arc;

use kit::{Failure, Harness, Reply, Running, Shape, World, ensure};

use crate::bad_input::{send_garbage, send_huge_bodies, send_huge_heads};
use crate::framing::send_two_lengths;
use crate::slow_clients::be_slow;

type Exercise = fn(&Running) -> Result<(), Failure>;

const MEMORY: u64 = 16 * 1024 * 1024;

fn impatient(harness: &Arc<Harness>, settings: &[(&str, &str)]) -> Result<Running, Failure> {
    let mut world = World::new(harness)?;
    for (name, value) in [("K_SINK_TIMEOUT", "1"), ("DELIVERY_DEADLINE", "2s")].iter().chain(settings) {
        world.set(name, *value);
    }
    if harness.shape == Shape::Source {
        // Without one it would hold what is refused for a minute.
        let dead_letters = world.dead_letters.url("/");
        world.set("DEAD_LETTER_SINK", dead_letters);
    }
    world.start()
}

/// X6.
pub fn faults(harness: &Arc<Harness>) -> Result<(), Failure> {
    misbehave(&impatient(harness, &[])?)
}

/// Every fault of the sink and of the outside system, one after the other.
fn misbehave(running: &Running) -> Result<(), Failure> {
    let faults = [
        ("hangs", Reply::hang()),
        ("closes", Reply::close()),
        ("redirects", Reply::status(302).header("Location", "http://127.0.0.1:1/")),
        ("refuses", Reply::status(400)),
        ("fails", Reply::status(500)),
        ("talks garbage", Reply::garbage()),
        ("fails without end", Reply::endless(500)),
        ("accepts without end", Reply::endless(200)),
        ("sends a huge head", Reply::status(500).header("X-Big", &"x".repeat(1024 * 1024))),
    ];
    for (what, reply) in faults {
        running.sink.always(reply.clone());
        running.upstream.always(reply);
        misbehaving(running, what)?;
        let answer = running.get("/healthz")?;
        ensure(answer.status == 200, || format!("a peer that {what}: /healthz {}", answer.status))?;
        if running.harness.shape == Shape::Source {
            // Its pauses grow until something succeeds.
            running.sink.always(Reply::status(202));
            good_again(running)?;
        }
    }
    running.sink.always(Reply::status(202));
    running.upstream.always(Reply::status(202));
    good_again(running)
}

fn misbehaving(running: &Running, what: &str) -> Result<(), Failure> {
    let (sink, upstream) = (running.sink.count(), running.upstream.count());
    if running.harness.shape == Shape::Source {
        running.provoke(1)?;
        return running
            .sink
            .wait_for(sink + 1)
            .map(drop)
            .map_err(|error| format!("a sink that {what}: {error}"));
    }
    let answer =
        running.send(&running.acceptable(1)?).map_err(|error| format!("a peer that {what}: {error}"))?;
    // A broker keeps the event, and a target may need nobody. A 200 whose body never ends may count as a success.
    let asked = running.sink.count() > sink || running.upstream.count() > upstream;
    let may_succeed = running.harness.shape == Shape::Broker || !asked || what == "accepts without end";
    ensure(may_succeed || !answer.is_success(), || {
        format!("a peer that {what}: answered {}", answer.status)
    })?;
    let fault = if running.harness.is_source() { 500..600 } else { 400..600 };
    ensure(answer.is_success() || fault.contains(&answer.status), || {
        format!("a peer that {what}: {}", answer.status)
    })
}

/// Not at once: time-outs are short here for a busy machine.
pub(crate) fn good_again(running: &Running) -> Result<(), Failure> {
    if running.harness.shape == Shape::Source {
        let before = running.sink.count();
        running.provoke(2)?;
        return running.sink.wait_for(before + 1).map(drop);
    }
    kit::eventually("a good request is served again", || {
        running.send(&running.acceptable(2).ok()?).ok().filter(|answer| answer.is_success()).map(drop)
    })
}

/// X7. With one worker: what the allocator keeps for each would be counted once for each otherwise.
pub fn memory(harness: &Arc<Harness>) -> Result<(), Failure> {
    let running = impatient(harness, &[("WORKER_THREADS", "1")])?;
    for _ in 0..20 {
        good_again(&running)?;
    }
    let before = running.process.memory("VmRSS")?;
    let mut exercises: Vec<(&str, Exercise)> = vec![
        ("huge bodies", send_huge_bodies),
        ("huge heads", send_huge_heads),
        ("garbage", send_garbage),
        ("slow clients", be_slow),
    ];
    if harness.shape != Shape::Source {
        exercises.push(("two lengths", send_two_lengths));
    }
    exercises.push(("misbehaving peers", misbehave));
    let mut told = Vec::new();
    for (what, exercise) in exercises {
        exercise(&running)?;
        told.push(format!("{what}: {} kB", running.process.memory("VmRSS")? / 1024));
    }
    // The most it ever had, not what is left at the end.
    let most = running.process.memory("VmHWM")?;
    let shown = || format!("from {} to {} kB; afterwards {}", before / 1024, most / 1024, told.join(", "));
    ensure(most.saturating_sub(before) < MEMORY, shown)?;
    good_again(&running)
}
