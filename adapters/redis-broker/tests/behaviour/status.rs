//! What is told of triggers, on the page and in the metrics, and of events that are gone.

use kit::{Reply, Sink, eventually};
use peers::Redis;
use serde_json::{Value, json};

use crate::{Broker, Outcome, answer_by_path, expect, start, trigger, wait_for_ids};

/// What the page says of a trigger.
fn of(broker: &Broker, name: &str) -> Option<Value> {
    Some(broker.json("/status").ok()?["me"]["subscriptions"][name].clone())
}

/// What the page says of a trigger, once it is there.
fn phase(broker: &Broker, name: &str, wanted: &str) -> Result<Value, kit::Failure> {
    eventually(&format!("{name} to be {wanted}"), || {
        of(broker, name).filter(|status| status["status"] == wanted)
    })
}

/// Waits until the metric says so.
fn ready(broker: &Broker, wanted: char) -> Outcome {
    eventually("readiness to be told", || {
        let page = broker.process.metrics().ok()?;
        page.lines().find(|line| line.starts_with("trestle_ready"))?.ends_with(wanted).then_some(())
    })
}

#[test]
fn the_phase_of_each_trigger_and_its_last_error() -> Outcome {
    let (sink, mut redis) = (Sink::start()?, Redis::start_kept()?);
    answer_by_path(&sink, vec![("/no", Reply::status(400).body("no such order"))]);
    let triggers = json!({
        "idle": trigger("none", &sink.url("/in"), json!({})),
        "works": trigger("a", &sink.url("/in"), json!({})),
        "refused": trigger("a", &sink.url("/no"), json!({})),
        "past": {"target": {"url": sink.url("/past")}, "bounds": {"byId": {"start": "0", "end": "2-0"}}},
    });
    redis.ask(&[
        "XADD",
        "status",
        "1-0",
        "ce",
        r#"{"specversion":"1.0","id":"1","source":"/s","type":"p"}"#,
    ])?;
    redis.ask(&[
        "XADD",
        "status",
        "3-0",
        "ce",
        r#"{"specversion":"1.0","id":"2","source":"/s","type":"p"}"#,
    ])?;
    let mut broker = start(&redis, "me", triggers, &[("REDIS_STREAM", "status")])?;
    broker.accept("a", 1)?;
    wait_for_ids(&sink, "/past", 1)?;
    phase(&broker, "idle", "Ready")?;
    let works = eventually("a delivery", || {
        of(&broker, "works").filter(|status| status["lastProcessed"].is_string())
    })?;
    expect((&works["status"], &works["lastError"]), (&json!("Running"), &Value::Null), "no error")?;
    let refused =
        eventually("an error", || of(&broker, "refused").filter(|status| status["lastError"].is_object()))?;
    expect(refused["status"].as_str(), Some("Running"), "it was delivered to the dead letters")?;
    expect(refused["lastError"]["message"].as_str().unwrap_or_default().contains("400"), true, "why")?;
    phase(&broker, "past", "Complete")?;
    let metric = |name: &str, status: &str| {
        let page = broker.process.metrics().ok()?;
        let start = format!(
            "broker_trigger_status{{broker_name=\"me\",status=\"{status}\",trigger_name=\"{name}\"}} 1"
        );
        page.lines().any(|line| line == start).then_some(())
    };
    eventually("the same in the metrics", || metric("past", "Complete").and(metric("works", "Running")))?;
    let page = broker.json("/status")?;
    expect(page["me"]["ingest"]["status"].as_str(), Some("Running"), "the ingest")?;

    redis.end();
    broker.process.wait_for_status("/readyz", 503)?;
    ready(&broker, '0')?;
    phase(&broker, "works", "Failed")?;
    let page = broker.json("/status")?;
    expect(
        page["me"]["ingest"]["message"].as_str().unwrap_or_default().contains("reaching Redis"),
        true,
        "why",
    )?;
    redis.restart()?;
    ready(&broker, '1')?;
    phase(&broker, "works", "Running").map(drop)
}

/// Somebody else deletes entries that were read and not delivered.
#[test]
fn what_others_delete_is_told_as_lost() -> Outcome {
    let (sink, redis) = (Sink::start()?, Redis::start()?);
    sink.always(Reply::hang());
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}}});
    let settings = [("REDIS_STREAM", "deleted")];
    let broker = start(&redis, "me", triggers.clone(), &settings)?;
    for number in 0..5 {
        broker.accept("a", number)?;
    }
    sink.wait_for(5)?;
    // SIGKILL.
    drop(broker);
    redis.ask(&["XTRIM", "deleted", "MAXLEN", "2"])?;
    sink.reset();
    sink.always(Reply::status(202));
    let broker = start(&redis, "me", triggers, &settings)?;
    wait_for_ids(&sink, "/in", 2)?;
    let lost = eventually("a word of it", || broker.lost().pop())?;
    expect((lost.field("trigger"), &lost.json["events"]), ("t", &json!(3)), "whose, and how many")?;
    let page = broker.process.metrics()?;
    let counted =
        page.lines().any(|line| line.starts_with("broker_event_lost_count{") && line.ends_with(" 3"));
    expect(counted, true, "counted")
}
