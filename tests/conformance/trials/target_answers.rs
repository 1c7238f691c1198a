//! T: what a target answers when its outside system, or the data, says no.

use std::sync::Arc;

use kit::{Failure, Fault, Harness, Response, World, ensure};

/// Codes that somebody in Knative retries, or that say the wrong thing about an event.
const NOT_PERMANENT: [u16; 7] = [401, 403, 404, 408, 409, 425, 429];

fn sound_error(answer: &Response) -> Result<(), Failure> {
    let shown = || format!("{} {:?} {}", answer.status, answer.headers, answer.text());
    ensure(answer.body.len() <= 768, || format!("a body of {} bytes: {}", answer.body.len(), shown()))?;
    let media_type = answer.headers.get("content-type").unwrap_or_default().to_ascii_lowercase();
    ensure(!media_type.starts_with("application/cloudevents"), shown)?;
    ensure(!answer.headers.iter().any(|(name, _)| name.starts_with("ce-")), shown)
}

fn permanent(answer: &Response) -> Result<(), Failure> {
    let final_code = (400..500).contains(&answer.status) && !NOT_PERMANENT.contains(&answer.status);
    ensure(final_code, || format!("a refusal for good: {} {}", answer.status, answer.text()))?;
    sound_error(answer)
}

fn transient(answer: &Response) -> Result<(), Failure> {
    ensure(answer.status == 503, || format!("out of order: {} {}", answer.status, answer.text()))?;
    let wait = answer.headers.get("retry-after").and_then(|value| value.parse::<u64>().ok());
    ensure(wait.is_some_and(|seconds| seconds > 0), || format!("Retry-After: {wait:?}"))?;
    sound_error(answer)
}

/// T5.
pub fn faults(harness: &Arc<Harness>) -> Result<(), Failure> {
    let running = World::new(harness)?.start()?;
    running.fault(Fault::Permanent);
    permanent(&running.send(&running.example()?.binary(1))?)?;
    running.fault(Fault::Transient);
    transient(&running.send(&running.example()?.binary(2))?)?;
    // What is down is the outside system, not this process.
    let answer = running.get("/readyz")?;
    ensure(answer.status == 200, || format!("/readyz while the outside system is down: {}", answer.status))
}

/// T8.
pub fn payload_policy(harness: &Arc<Harness>) -> Result<(), Failure> {
    for policy in ["error", "errors", "always", "never"] {
        let mut world = World::new(harness)?;
        world.set("EVENTS_PAYLOAD_POLICY", policy);
        let running = world.start()?;
        running.fault(Fault::Permanent);
        let answer = running.send(&running.example()?.binary(1))?;
        if policy == "never" {
            permanent(&answer)?;
        } else {
            ensure(answer.status == 200, || format!("{policy}: {} {}", answer.status, answer.text()))?;
            let event = answer.event().map_err(|error| format!("{policy}: {error}"))?;
            ensure(event.get("category") == "error", || format!("{policy}: {event:?}"))?;
            ensure(event.get("id") != "kit-1", || format!("{policy}: the id of the request: {event:?}"))?;
        }
        running.fault(Fault::Transient);
        transient(&running.send(&running.example()?.binary(2))?)
            .map_err(|error| format!("{policy}: {error}"))?;
    }
    Ok(())
}

/// T9.
pub fn malformed_data(harness: &Arc<Harness>) -> Result<(), Failure> {
    let malformed = harness.malformed.as_ref().ok_or("the harness gives no malformed data, and no reason")?;
    let running = World::new(harness)?.start()?;
    permanent(&running.send(&malformed.binary(1))?)?;
    permanent(&running.send(&malformed.structured(2))?)?;
    let answer = running.send(&running.example()?.binary(3))?;
    ensure(answer.is_success(), || format!("the next good event: {}", answer.status))?;
    running.wait_for_arrivals(1)?;
    ensure(running.arrived()?.len() == 1, || format!("arrived: {:?}", running.arrived()))
}
