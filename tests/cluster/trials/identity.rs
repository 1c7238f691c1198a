//! Knative's broker asks who sends (OIDC): what a bound source is given, and what comes of one that has nothing.

use kit::{Failure, Request, ensure, within};
use serde_json::{Value, json};

use crate::kubectl::{Way, json_of, kubectl};
use crate::place::{PATIENCE, Place, ask, event, to_broker};

const ORDERED: &str = "com.example.ordered";
/// The namespace of Knative Eventing.
const EVENTING: &str = "knative-eventing";
/// Knative's switches, and the one for this (<https://knative.dev/docs/eventing/features/sender-identity/>).
const FEATURES: &str = "config-features";
const FEATURE: &str = "authentication-oidc";

/// The token that Knative puts into the pod lets the source's events in; whoever has none is refused.
pub fn proven() -> Result<(), Failure> {
    let _switched = Switched::on()?;
    let place = Place::new("identity")?;
    place.broker()?;
    let audience = || {
        let broker = place.get(&["broker", "default"]).ok()?;
        broker["status"]["address"]["audience"].as_str().map(str::to_owned)
    };
    let audience = within(PATIENCE, "the broker's audience", audience)?;
    let hook = json!({"WEBHOOK_EVENT_TYPE": ORDERED, "WEBHOOK_EVENT_SOURCE": "shop"});
    place.install(
        "SinkBinding",
        &json!([
            {"name": "hooks", "kind": "webhook-source", "sink": to_broker(), "config": hook},
            {"name": "nobody", "kind": "webhook-source", "mode": "Deployment", "config": hook,
             "sink": {"uri": format!("http://broker-ingress.{EVENTING}.svc.cluster.local/{}/default", place.name)}},
            {"name": "display", "kind": "display-target"},
        ]),
    )?;
    place.bound("hooks")?;
    place.trigger("orders", ORDERED, "display", &json!({}))?;
    let binding = place.get(&["sinkbinding", "demo-hooks"])?;
    ensure(binding["status"]["sinkAudience"] == audience.as_str(), || format!("{}", binding["status"]))?;
    let deployment = place.get(&["deployment", "demo-hooks"])?;
    let mounts = &deployment["spec"]["template"]["spec"]["containers"][0]["volumeMounts"];
    let is_mounted = mounts.as_array().into_iter().flatten().any(|mount| mount["mountPath"] == "/oidc");
    ensure(is_mounted, || format!("no /oidc: {mounts}"))?;

    let order = Request::post("/").json(&json!({"order": 9}));
    let answer = ask(&place.way("hooks", 8080)?, &order)?;
    ensure(answer.status == 204, || {
        format!("answered {}: {}\n{}", answer.status, answer.text(), place.said())
    })?;
    let display = place.way("display", 8080)?;
    event(&place, &display, "the order", |event: &Value| event["data"] == json!({"order": 9}))?;
    refused(&place.way("nobody", 8080)?, &order)
}

/// The broker answers 401, which the source passes on as a refusal, or as busy until it gives up.
fn refused(way: &Way, order: &Request) -> Result<(), Failure> {
    let answer = ask(way, order)?;
    ensure([502, 503].contains(&answer.status), || format!("without a token: {}", answer.status))?;
    ensure(answer.text().contains("401"), || format!("without a token: {}", answer.text()))
}

/// The feature, switched on until this is dropped.
struct Switched {
    before: Value,
}

impl Switched {
    fn on() -> Result<Self, Failure> {
        let map = json_of(&kubectl(
            &["--namespace", EVENTING, "get", "configmap", FEATURES, "--output", "json"],
            "",
        )?)?;
        let switched = Self { before: map["data"][FEATURE].clone() };
        set(&"enabled".into())?;
        Ok(switched)
    }
}

impl Drop for Switched {
    fn drop(&mut self) {
        let _ = set(&self.before);
    }
}

fn set(value: &Value) -> Result<(), Failure> {
    let patch = json!({"data": {FEATURE: value}}).to_string();
    kubectl(
        &["--namespace", EVENTING, "patch", "configmap", FEATURES, "--type", "merge", "--patch", &patch],
        "",
    )
    .map(drop)
}
