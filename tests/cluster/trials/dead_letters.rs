//! A target behind a trigger of Knative's that cannot, and then will not: retries, and the dead letter.

use kit::{Failure, Request, ensure, within};
use serde_json::json;

use crate::kubectl::Way;
use crate::place::{PATIENCE, Place, ask, event, service, to_broker};

const ORDERED: &str = "com.example.ordered";
/// Bytes of the order's data: more than the destination takes, which takes as few as can be set.
const DATA: usize = 70_000;
/// Attempts that are waited for while the destination is down.
const ATTEMPTS: u64 = 3;

/// While the target's own destination is away the target answers 503, and Knative tries again; when it is there and refuses
/// the event as too large the target says so, and Knative sends it to the dead-letter sink, once, saying why.
pub fn kept() -> Result<(), Failure> {
    let place = Place::new("dead-letters")?;
    place.broker()?;
    let upstream = format!("http://upstream.{}.svc.cluster.local", place.name);
    // A service without pods: connections are refused.
    select(&place, "nothing")?;
    place.install(
        "SinkBinding",
        &json!([
            {"name": "hooks", "kind": "webhook-source", "sink": to_broker(),
             "config": {"WEBHOOK_EVENT_TYPE": ORDERED, "WEBHOOK_EVENT_SOURCE": "shop"}},
            {"name": "target", "kind": "transformation", "mode": "Deployment", "sink": {"uri": upstream}},
            {"name": "strict", "kind": "display-target", "config": {"MAX_EVENT_BYTES": 65_536}},
            {"name": "dead", "kind": "display-target"},
        ]),
    )?;
    let delivery = json!({
        "retry": 60, "backoffPolicy": "linear", "backoffDelay": "PT0.2S", "deadLetterSink": service("demo-dead"),
    });
    place.trigger("orders", ORDERED, "target", &delivery)?;
    place.bound("hooks")?;

    let hooks = place.way("hooks", 8080)?;
    let order = json!({"order": "x".repeat(DATA)});
    // A broker on channels in memory answers when it has delivered, or given up.
    let sent = Request::post("/").json(&order).send_later(hooks.address);
    let metrics = place.way("target", 9092)?;
    let tried = || attempts(&metrics, "").ok().filter(|count| *count >= ATTEMPTS);
    within(PATIENCE, "attempts", tried).map_err(|failure| format!("{failure}\n{}", place.said()))?;

    select(&place, "strict")?;
    let dead = place.way("dead", 8080)?;
    let letter = event(&place, &dead, "the dead letter", |event| event["type"] == ORDERED)?;
    let text = |name: &str| letter[name].as_str().map_or_else(|| letter[name].to_string(), str::to_owned);
    ensure(letter["data"] == order, || "the dead letter has other data".to_owned())?;
    ensure(text("knativeerrorcode") == "413", || format!("knativeerrorcode: {}", text("knativeerrorcode")))?;
    let target = format!("http://demo-target.{}.svc.cluster.local", place.name);
    ensure(text("knativeerrordest").starts_with(&target), || {
        format!("knativeerrordest: {}", text("knativeerrordest"))
    })?;
    ensure(letter["knativeerrordata"].is_string(), || "no knativeerrordata".to_owned())?;
    let answer = kit::answer(sent)?;
    ensure(answer.status == 204, || format!("answered {}: {}", answer.status, answer.text()))?;
    let refused = attempts(&metrics, r#"response_code="413""#)?;
    ensure(refused == 1, || format!("what can never succeed was tried {refused} times"))
}

/// The target's destination: the pods of that adapter.
fn select(place: &Place, adapter: &str) -> Result<(), Failure> {
    let selector = json!({"app.kubernetes.io/instance": "demo", "app.kubernetes.io/component": adapter});
    place.apply(&[json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "upstream"},
        "spec": {"selector": selector, "ports": [{"port": 80, "targetPort": 8080}]},
    })])
}

/// How often it has sent, with that label.
fn attempts(metrics: &Way, label: &str) -> Result<u64, Failure> {
    let text = ask(metrics, &Request::get("/metrics"))?.text();
    let counts = text.lines().filter(|line| line.contains("_event_count{") && line.contains(label));
    let counts = counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    Ok(counts.sum())
}
