//! Knative runs and binds our sources: what it gives them, and the way through its broker and triggers.

use kit::{Failure, PATIENCE, Request, ensure, within};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};

use crate::kubectl::kubectl;
use crate::place::{Place, ask, event, shown, to_broker};

const ORDERED: &str = "com.example.ordered";
const SHIPPED: &str = "com.example.shipped";
const PING: &str = "dev.knative.sources.ping";
/// The namespace of Knative Eventing, from which it takes trust bundles.
const EVENTING: &str = "knative-eventing";
/// Where Knative mounts trust bundles.
const BUNDLES: &str = "/knative-custom-certs";

/// An order is transformed by a target and its reply comes back into the broker; the clock's events come with what
/// `ceOverrides` add.
pub fn passes() -> Result<(), Failure> {
    let place = Place::new("injected")?;
    place.broker()?;
    let context = json!([{"operation": "add", "paths": [{"key": "type", "value": SHIPPED}]}]);
    // A clock that runs twice ticks twice: the chart makes it a Deployment with a SinkBinding, the webhook a ContainerSource.
    place.install(
        "ContainerSource",
        &json!([
            {"name": "hooks", "kind": "webhook-source", "sink": to_broker(),
             "config": {"WEBHOOK_EVENT_TYPE": ORDERED, "WEBHOOK_EVENT_SOURCE": "shop"}},
            {"name": "ping", "kind": "ping-source", "sink": to_broker(), "config": {"PING_SCHEDULE": "* * * * * *"},
             "ceOverrides": {"extensions": {"origin": "bound"}}},
            {"name": "ship", "kind": "transformation", "config": {"TRANSFORMATION_CONTEXT": context}},
            {"name": "display", "kind": "display-target"},
        ]),
    )?;
    place.wait("containersource/demo-hooks", "Ready")?;
    place.bound("ping")?;
    place.trigger("orders", ORDERED, "ship", &json!({}))?;
    place.trigger("shipped", SHIPPED, "display", &json!({}))?;
    place.trigger("pings", PING, "display", &json!({}))?;

    let sink = format!("http://broker-ingress.{EVENTING}.svc.cluster.local/{}/default", place.name);
    for (adapter, overrides) in [("hooks", ""), ("ping", r#"{"extensions":{"origin":"bound"}}"#)] {
        let expected = [("K_SINK", Some(&*sink)), ("K_CE_OVERRIDES", Some(overrides)), ("K_CA_CERTS", None)];
        given(&place, adapter, &expected)?;
    }
    // The Deployment of a ContainerSource has a name of Knative's own; its pods are behind the chart's Service.
    let hooks = place.pod("hooks")?;
    let answer = ask(&hooks, &Request::post("/").json(&json!({"order": 7})))?;
    ensure(answer.status == 204, || format!("answered {}: {}", answer.status, answer.text()))?;
    let display = place.way("display", 8080)?;
    let shipped = |event: &Value| event["type"] == SHIPPED && event["data"] == json!({"order": 7});
    event(&place, &display, "the order, shipped", shipped)?;
    event(&place, &display, "a tick", |event| event["type"] == PING && event["origin"] == "bound")?;
    let all = shown(&display)?;
    ensure(all.iter().all(|event| event["type"] != ORDERED), || format!("a filter lets pass: {all:?}"))
}

/// A sink with a certificate of an authority that its address names, and one that only a trust bundle knows.
pub fn trusts() -> Result<(), Failure> {
    let place = Place::new("trusted")?;
    let named = authority(&format!("demo-named.{}.svc.cluster.local", place.name))?;
    let bundled = authority(&format!("demo-bundled.{}.svc.cluster.local", place.name))?;
    for (name, one) in [("named", &named), ("bundled", &bundled)] {
        place.apply(&[json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": name},
            "stringData": {"tls.crt": one.certificate, "tls.key": one.key},
        })])?;
    }
    let _bundle = Bundle::new(&bundled.authority)?;
    let uri = |name: &str| format!("https://demo-{name}.{}.svc.cluster.local", place.name);
    let hook = json!({"WEBHOOK_EVENT_TYPE": ORDERED, "WEBHOOK_EVENT_SOURCE": "shop"});
    place.install(
        "SinkBinding",
        &json!([
            {"name": "first", "kind": "webhook-source", "config": hook,
             "sink": {"uri": uri("named"), "CACerts": named.authority}},
            {"name": "second", "kind": "webhook-source", "config": hook, "sink": {"uri": uri("bundled")}},
            {"name": "named", "kind": "display-target", "tls": {"secretName": "named"}},
            {"name": "bundled", "kind": "display-target", "tls": {"secretName": "bundled"}},
        ]),
    )?;
    for (adapter, authority) in [("first", Some(named.authority.trim())), ("second", None)] {
        place.bound(adapter)?;
        given(&place, adapter, &[("K_CA_CERTS", authority)])?;
        let pod = place.get(&["deployment", &format!("demo-{adapter}")])?;
        let mounts = &pod["spec"]["template"]["spec"]["containers"][0]["volumeMounts"];
        let is_mounted = mounts.as_array().into_iter().flatten().any(|mount| mount["mountPath"] == BUNDLES);
        ensure(is_mounted, || format!("{adapter} has no {BUNDLES}: {mounts}"))?;
        let hooks = place.way(adapter, 8080)?;
        let answer = ask(&hooks, &Request::post("/").json(&json!({"order": 8})))?;
        ensure(answer.status == 204, || {
            format!("{adapter}: {}: {}\n{}", answer.status, answer.text(), place.said())
        })?;
    }
    Ok(())
}

/// Waits until the pods of an adapter are given these variables, or are not. A pod from before the binding may still be there, made
/// in the same second.
fn given(place: &Place, adapter: &str, expected: &[(&str, Option<&str>)]) -> Result<(), Failure> {
    let mut last = Err("nothing was asked for".to_owned());
    within(PATIENCE, &format!("{expected:?} in the environment of {adapter}"), || {
        last = environment(place, adapter);
        let found = last.as_ref().ok()?;
        let of = |name: &str| found.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim());
        expected.iter().all(|(name, value)| of(name) == *value).then_some(())
    })
    .map_err(|failure| format!("{failure}; there was {last:?}"))
}

/// What the newest pod of an adapter is given.
fn environment(place: &Place, adapter: &str) -> Result<Vec<(String, String)>, Failure> {
    let selector = format!("app.kubernetes.io/component={adapter}");
    let pods = place.get(&["pods", "--selector", &selector, "--field-selector", "status.phase=Running"])?;
    let newest = pods["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null())
        .max_by_key(|pod| pod["metadata"]["creationTimestamp"].to_string());
    let variables = newest.map(|pod| &pod["spec"]["containers"][0]["env"]).and_then(Value::as_array);
    let variables = variables.ok_or_else(|| format!("{adapter} has no pod\n{}", place.said()))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(variables.iter().map(|variable| (text(&variable["name"]), text(&variable["value"]))).collect())
}

struct Trusted {
    authority: String,
    certificate: String,
    key: String,
}

/// An authority, and a certificate of it for a name.
fn authority(name: &str) -> Result<Trusted, Failure> {
    let text = |error: rcgen::Error| error.to_string();
    let mut params = CertificateParams::new(Vec::new()).map_err(text)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().map_err(text)?;
    let authority = params.self_signed(&key).map_err(text)?.pem();
    let issuer = Issuer::new(params, key);
    let own = KeyPair::generate().map_err(text)?;
    let params = CertificateParams::new(vec![name.to_owned()]).map_err(text)?;
    let certificate = params.signed_by(&own, &issuer).map_err(text)?.pem();
    Ok(Trusted { authority, certificate, key: own.serialize_pem() })
}

/// A trust bundle of Knative's; dropping it takes it away.
struct Bundle;

impl Bundle {
    const NAME: &str = "trestle-trial";

    fn new(authority: &str) -> Result<Self, Failure> {
        let labels = json!({"networking.knative.dev/trust-bundle": "true"});
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "data": {"trial.pem": authority},
            "metadata": {"name": Self::NAME, "namespace": EVENTING, "labels": labels},
        });
        kubectl(&["apply", "--server-side", "--filename", "-"], &map.to_string())?;
        Ok(Self)
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        let _ =
            kubectl(&["--namespace", EVENTING, "delete", "configmap", Self::NAME, "--ignore-not-found"], "");
    }
}
