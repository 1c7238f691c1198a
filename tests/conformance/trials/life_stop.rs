//! L: how it stops.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use kit::{Failure, Gate, Harness, Reply, Request, Running, Shape, World, ensure, http};
use nix::sys::signal::Signal;

/// L2.
pub fn drains(harness: &Arc<Harness>) -> Result<(), Failure> {
    if harness.shape == Shape::Source { drains_sending(harness) } else { drains_serving(harness) }
}

/// One whose door stays open for long enough after it was asked to stop, on a busy machine too.
fn draining(harness: &Arc<Harness>) -> Result<Running, Failure> {
    let mut world = World::new(harness)?;
    world.set("DRAIN_SECONDS", "10");
    world.start()
}

/// A request is in flight while half of its body has not been sent.
fn drains_serving(harness: &Arc<Harness>) -> Result<(), Failure> {
    let mut running = draining(harness)?;
    let idle = http::connect(running.address).map_err(|error| error.to_string())?;
    let bytes = running.acceptable(1)?.to_bytes(running.address);
    let (first, second) = bytes.split_at(bytes.len() - 1);
    let mut stream = http::connect(running.address).map_err(|error| error.to_string())?;
    stream.write_all(first).map_err(|error| error.to_string())?;
    // Served after it on the same listener, so the half request has been accepted too.
    running.get("/healthz")?;

    running.process.terminate()?;
    running.process.wait_for_status("/readyz", 503)?;
    let answer = running.send(&running.acceptable(2)?)?;
    ensure(answer.is_success(), || format!("a request during the drain: {}", answer.status))?;
    stream.write_all(second).map_err(|error| format!("the request in flight was cut off: {error}"))?;
    let answer = http::read_response(&stream).map_err(|error| format!("the request in flight: {error}"))?;
    ensure(answer.is_success(), || format!("the request in flight: {}", answer.status))?;
    if harness.is_source() {
        running.sink.wait_for(2)?;
    }
    let code = running.process.wait()?;
    drop(idle);
    ensure(code == 0, || format!("exit code {code}: {}", running.process.output()))
}

/// An event is in flight while the sink holds its answer back.
fn drains_sending(harness: &Arc<Harness>) -> Result<(), Failure> {
    let mut running = World::new(harness)?.start()?;
    let gate = Gate::new();
    running.sink.script([Reply::status(202).held(&gate)]);
    running.provoke(1)?;
    running.sink.wait_for(1)?;
    running.process.terminate()?;
    // Nobody calls it, so it may also have closed its door at once.
    kit::eventually("readiness says no", || {
        running.get("/readyz").map_or(true, |answer| answer.status == 503).then_some(())
    })?;
    gate.open();
    let code = running.process.wait()?;
    ensure(code == 0, || format!("exit code {code}: {}", running.process.output()))?;
    let first = running.sink.requests()[0].event()?;
    let again = running
        .sink
        .requests()
        .iter()
        .skip(1)
        .any(|request| request.event().is_ok_and(|event| event.get("id") == first.get("id")));
    ensure(!again, || "an accepted event was sent again".to_owned())
}

/// L6.
pub fn signals(harness: &Arc<Harness>) -> Result<(), Failure> {
    let mut world = World::new(harness)?;
    world.set("DRAIN_SECONDS", "1");
    let mut running = world.start()?;
    running.process.signal(Signal::SIGINT)?;
    let code = running.process.wait()?;
    ensure(code == 0, || format!("after SIGINT: exit code {code}: {}", running.process.output()))?;

    let mut running = draining(harness)?;
    running.process.terminate()?;
    if harness.shape != Shape::Source {
        running.process.wait_for_status("/readyz", 503)?;
    }
    // It may have ended in between; then there is nobody to disturb.
    let _ = running.process.terminate();
    let code = running.process.wait()?;
    ensure(matches!(code, 0 | 1), || {
        format!("after two SIGTERM: exit code {code}: {}", running.process.output())
    })
}

/// L9.
pub fn clients_go_away(harness: &Arc<Harness>) -> Result<(), Failure> {
    let running = World::new(harness)?.start()?;
    let gate = Gate::new();
    running.sink.always(Reply::status(202).held(&gate));
    running.upstream.always(Reply::status(202).held(&gate));
    let mut asks_a_peer = true;
    for number in 0..5 {
        let (sink, upstream) = (running.sink.count(), running.upstream.count());
        let mut stream = http::connect(running.address).map_err(|error| error.to_string())?;
        stream
            .write_all(&running.acceptable(number)?.to_bytes(running.address))
            .map_err(|error| error.to_string())?;
        // In work once a peer was asked; what needs no peer may be done already.
        if asks_a_peer {
            let arrived = kit::within(Duration::from_secs(2), "the event at a peer", || {
                (running.sink.count() > sink || running.upstream.count() > upstream).then_some(())
            });
            asks_a_peer = arrived.is_ok();
        }
    }
    let metrics = running.process.metrics_address()?;
    kit::eventually("nothing in work", || {
        let page = Request::get("/metrics").send(metrics).ok()?.text();
        let gauge = page.lines().find(|line| line.starts_with("trestle_in_flight"))?;
        gauge.ends_with(" 0").then_some(())
    })?;
    gate.open();
    Ok(())
}
