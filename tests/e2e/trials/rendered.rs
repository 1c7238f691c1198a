//! The processes that Compose and Kubernetes would start for a bridge, started here with the environment that is written
//! for them and nothing else: the same events go the same ways.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use kit::process::Process;
use kit::{Failure, Request, ensure, eventually};
use peers::helm;
use serde_json::{Value, json};

use crate::Named;
use crate::up::{root, trestle};

pub const TRIALS: &[Named] = &[
    ("Compose: the data decides where an event goes", || content_routing("compose")),
    ("Kubernetes: the data decides where an event goes", || content_routing("kubernetes")),
];

/// One process as a platform has it.
struct Service {
    adapter: String,
    environment: BTreeMap<String, String>,
}

fn render(example: &str, to: &str) -> Result<Vec<Value>, Failure> {
    let path = root().join("examples").join(example);
    let output = trestle().arg("render").arg(path).args(["--to", to]).output();
    let output = output.map_err(|error| format!("trestle render: {error}"))?;
    ensure(output.status.success(), || String::from_utf8_lossy(&output.stderr).into_owned())?;
    String::from_utf8_lossy(&output.stdout).split("\n---\n").map(helm::values).collect()
}

/// The name of the adapter in the name of an image.
fn adapter(image: &Value) -> String {
    let name = image.as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    name.split(':').next().unwrap_or_default().to_owned()
}

/// The processes by the address that others know them by. Nothing in this bridge is a secret.
fn services(documents: &[Value]) -> BTreeMap<String, Service> {
    let mut services = BTreeMap::new();
    for (name, service) in documents[0]["services"].as_object().into_iter().flatten() {
        let variables = service["environment"].as_object().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().replace("$$", "$");
        let environment = variables.map(|(name, value)| (name.clone(), text(value))).collect();
        let service = Service { adapter: adapter(&service["image"]), environment };
        services.insert(format!("http://{name}:8080"), service);
    }
    for object in documents.iter().filter(|object| object["kind"] == "Deployment") {
        let container = &object["spec"]["template"]["spec"]["containers"][0];
        let entries = container["env"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut environment: BTreeMap<String, String> =
            entries.map(|entry| (text(&entry["name"]), text(&entry["value"]))).collect();
        let name = text(&object["metadata"]["name"]);
        let is_document =
            |object: &&Value| object["kind"] == "ConfigMap" && object["metadata"]["name"] == name;
        if let Some(document) = documents.iter().find(is_document) {
            // What is mounted where the broker looks for it.
            environment.insert("BROKER_CONFIG".to_owned(), text(&document["data"]["broker.conf"]));
        }
        let service = Service { adapter: adapter(&container["image"]), environment };
        services.insert(format!("http://{name}.default.svc.cluster.local"), service);
    }
    services
}

/// Starts all, each when those it sends to have their addresses; gives the addresses by the names of the objects.
fn start(mut waiting: BTreeMap<String, Service>) -> Result<Vec<(String, SocketAddr, Process)>, Failure> {
    let (mut started, mut known) = (Vec::new(), BTreeMap::new());
    while !waiting.is_empty() {
        let sends_on = |service: &Service| {
            service
                .environment
                .values()
                .any(|value| waiting.keys().any(|address| value.contains(address.as_str())))
        };
        let next = waiting.iter().find(|(_, service)| !sends_on(service)).map(|(address, _)| address.clone());
        let address = next.ok_or("all of them send to others")?;
        let Some(service) = waiting.remove(&address) else { continue };
        let wired = |value: &String| {
            known
                .iter()
                .fold(value.clone(), |value, (from, to): (&String, &String)| value.replace(from.as_str(), to))
        };
        let environment: Vec<_> =
            service.environment.iter().map(|(name, value)| (name, wired(value))).collect();
        let mut process = Process::start(&service.adapter, &[], &environment)?;
        let at = process.address()?;
        process.wait_for_status("/readyz", 200)?;
        known.insert(address, format!("http://{at}"));
        started.push((service.environment.get("NAME").cloned().unwrap_or_default(), at, process));
    }
    Ok(started)
}

fn content_routing(to: &str) -> Result<(), Failure> {
    let services = services(&render("content-routing.yaml", to)?);
    ensure(services.len() == 5, || format!("{} services", services.len()))?;
    let started = start(services)?;
    let address = |name: &str| {
        let found = started.iter().find(|(known, ..)| known == name).map(|(_, address, _)| *address);
        found.ok_or_else(|| format!("no {name}"))
    };
    for amount in [5000, 50] {
        let answer = Request::post("/").json(&json!({ "amount": amount })).send(address("shop")?);
        let answer = answer.map_err(|error| format!("shop: {error}"))?;
        ensure(answer.is_success(), || format!("shop answered {}", answer.status))?;
    }
    for (display, amount) in [("approval", 5000), ("shipping", 50)] {
        let at = address(display)?;
        let events = eventually("the event on its display", || {
            let answer = Request::get("/events").send(at).ok()?;
            let events: Vec<Value> = serde_json::from_slice(&answer.body).ok()?;
            (!events.is_empty()).then_some(events)
        })?;
        let found: Vec<&Value> = events.iter().map(|event| &event["data"]["amount"]).collect();
        ensure(found == [&json!(amount)], || format!("{display} has {events:#?}"))?;
    }
    Ok(())
}
