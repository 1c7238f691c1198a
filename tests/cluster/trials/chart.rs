//! The chart on plain Kubernetes: webhook, broker, trigger, target.

use kit::{Failure, Request, ensure};
use serde_json::{Value, json};

use crate::helm;
use crate::place::{Place, ask, event, shown};

const ORDERED: &str = "com.example.ordered";
const SHIPPED: &str = "com.example.shipped";

/// Pods become ready, an order passes and comes back out transformed, and nothing is left of the release.
pub fn passes() -> Result<(), Failure> {
    let place = Place::new("chart")?;
    let exact = |name: &str| json!([{"exact": {"type": name}}]);
    let url = |name: &str| json!({"url": format!("http://demo-{name}.{}", place.name)});
    let triggers = json!({"triggers": {
        "orders": {"filters": exact(ORDERED), "target": url("ship")},
        "shipped": {"filters": exact(SHIPPED), "target": url("display")},
    }});
    let context = json!([{"operation": "add", "paths": [{"key": "type", "value": SHIPPED}]}]);
    place.install(
        "Deployment",
        &json!([
            {"name": "hooks", "kind": "webhook-source", "sink": {"adapter": "broker"}, "replicas": 2,
             "config": {"WEBHOOK_EVENT_TYPE": ORDERED, "WEBHOOK_EVENT_SOURCE": "shop"}},
            {"name": "broker", "kind": "memory-broker", "config": {"BROKER_CONFIG": triggers.to_string()}},
            {"name": "ship", "kind": "transformation", "config": {"TRANSFORMATION_CONTEXT": context}},
            {"name": "display", "kind": "display-target"},
        ]),
    )?;
    let hooks = place.way("hooks", 8080)?;
    let answer = ask(&hooks, &Request::post("/").json(&json!({"order": 7})))?;
    ensure(answer.status == 204, || format!("answered {}: {}", answer.status, answer.text()))?;
    let display = place.way("display", 8080)?;
    let of = |event: &Value| event["type"] == SHIPPED && event["data"] == json!({"order": 7});
    event(&place, &display, "the order", of)?;
    let all = shown(&display)?;
    ensure(all.len() == 1, || format!("more came than the trigger lets pass: {all:?}"))?;
    helm::uninstall(&place.name)?;
    let left = place.kubectl(&["get", "deployments,services,poddisruptionbudgets", "--output", "name"])?;
    ensure(left.is_empty(), || format!("left behind: {left}"))
}
