//! Kafka goes away and comes back.

use std::time::Duration;

use kit::{Gate, Reply, Sink, ensure, eventually, within};
use peers::Kafka;
use serde_json::json;

use crate::{Outcome, event, settled, start, topic};

/// While it is away senders are told to come again, and readiness says so; afterwards everything goes on by itself.
pub fn outage() -> Outcome {
    let (mut kafka, sink, topic) = (Kafka::start()?, Sink::start()?, topic());
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}}});
    let mut broker = start(&kafka, &topic, triggers, &[("KAFKA_PRODUCE_TIMEOUT", "1s")])?;
    for number in 0..20 {
        // Not at once: the time-out is short for a busy machine.
        crate::gone::insist(&broker, number)?;
    }
    kafka.end();
    let answer = broker.send(&event("a", 20))?;
    ensure(answer.status == 503 && answer.headers.get("retry-after").is_some(), || {
        format!("{}: {}", answer.status, answer.text())
    })?;
    within(Duration::from_secs(60), "it is not ready", || {
        let answer = broker.get("/readyz").ok()?;
        (answer.status == 503).then_some(())
    })?;
    kafka.revive()?;
    broker.process.wait_for_status("/readyz", 200)?;
    let mut number = 21;
    eventually("an event that is taken", || {
        number += 1;
        broker.send(&event("a", number)).ok().filter(|answer| answer.status == 200)
    })?;
    let last = format!("kit-{number}");
    eventually("the events before and after", || {
        let arrived = crate::ids(&sink, "/in");
        let all = crate::numbered(0..20).iter().chain([&last]).all(|id| arrived.contains(id));
        all.then_some(())
    })?;
    settled(&kafka, &topic, "t")?;
    crate::expect(broker.lost().len(), 0, "nothing is told as lost")?;
    // What is delivered when it has gone for good cannot be stored: that is no reason not to end.
    let gate = Gate::new();
    sink.always(Reply::status(202).held(&gate));
    crate::gone::insist(&broker, 1000)?;
    eventually("the last event", || crate::ids(&sink, "/in").contains(&"kit-1000".to_owned()).then_some(()))?;
    kafka.end();
    gate.open();
    broker.process.stop()
}
