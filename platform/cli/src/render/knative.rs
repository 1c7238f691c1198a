//! A bridge with Knative Eventing (<https://knative.dev/docs/eventing/>): its Broker and Triggers in the place of ours, its
//! ContainerSource or SinkBinding to tell sources where their events go, targets behind plain Services.
//!
//! The Broker is Knative's because who has Knative has one that outlives a pod; which class of it, an annotation of the
//! object in the bridge says.

use common::config::{Duration, Parse as _};
use serde_json::{Map, Value as Json, json};

use super::name;
use super::part::Part;
use super::workload;
use crate::bridge::{Bridge, Component, Destination, Setting, Trigger};
use crate::catalogue::{Role, Scaling};

const CLASS: &str = "eventing.knative.dev/broker.class";
/// The one that comes with Knative Eventing.
const DEFAULT_CLASS: &str = "MTChannelBasedBroker";

/// The Broker and the Triggers of a broker, and what is lost with them.
pub fn broker(component: &Component, bridge: &Bridge, notes: &mut Vec<String>) -> Vec<Json> {
    let id = &component.id;
    let mut annotations = component.cluster.annotations.clone();
    annotations.entry(CLASS.to_owned()).or_insert_with(|| DEFAULT_CLASS.to_owned());
    let mut metadata = json!({ "name": id.name, "namespace": id.namespace, "annotations": annotations });
    if !component.cluster.labels.is_empty() {
        metadata["labels"] = json!(component.cluster.labels);
    }
    let broker = json!({ "apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "metadata": metadata, "spec": {} });
    let own = |name: &&String| !matches!(name.as_str(), "NAME" | "NAMESPACE" | "K_COMPONENT" | "BROKER_NAME");
    let lost: Vec<&str> = component.environment.keys().filter(own).map(String::as_str).collect();
    if !lost.is_empty() {
        notes.push(format!("{id}: Knative's Broker has no {}", lost.join(", ")));
    }
    let triggers = component.triggers.iter().map(|trigger| self::trigger(trigger, component, bridge, notes));
    std::iter::once(broker).chain(triggers).collect()
}

/// The objects of any other component.
pub fn objects(part: &Part<'_>, bridge: &Bridge) -> Vec<Json> {
    let component = part.component;
    let mut objects = workload::beside(part, None);
    let sink = match component.environment.get("K_SINK") {
        Some(Setting::Address(sink)) => Some(destination(sink, bridge)),
        _ => None,
    };
    let overrides = component.environment.get("K_CE_OVERRIDES").and_then(Setting::text);
    let overrides = overrides.and_then(|text| serde_json::from_str::<Json>(text).ok());
    let spec = |mut spec: Json, sink: Json| {
        spec["sink"] = sink;
        if let Some(overrides) = &overrides {
            spec["ceOverrides"] = overrides.clone();
        }
        spec
    };
    // A ContainerSource has neither a Service nor another strategy than to start the new pod beside the old one.
    let is_contained = component.role == Role::Source
        && !component.takes_events
        && component.scaling != Scaling::Single
        && part.positions.is_none();
    match sink {
        Some(sink) if is_contained => {
            let metadata = workload::metadata(part, &part.name);
            let spec = spec(json!({ "template": workload::template(part) }), sink);
            objects.push(source("ContainerSource", metadata, spec));
        }
        sink => {
            objects.push(workload::deployment(part));
            objects.extend(workload::service(part));
            if let Some(sink) = sink {
                let namespace = &component.id.namespace;
                let subject = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": part.name, "namespace": namespace });
                let metadata = workload::metadata(part, &part.name);
                objects.push(source("SinkBinding", metadata, spec(json!({ "subject": subject }), sink)));
            }
        }
    }
    objects
}

/// Variables that Knative sets, so that nobody else does.
pub fn is_injected(variable: &str, component: &Component) -> bool {
    let is_bound = matches!(component.environment.get("K_SINK"), Some(Setting::Address(_)));
    is_bound && matches!(variable, "K_SINK" | "K_CE_OVERRIDES")
}

fn source(kind: &str, metadata: Json, spec: Json) -> Json {
    json!({ "apiVersion": "sources.knative.dev/v1", "kind": kind, "metadata": metadata, "spec": spec })
}

fn trigger(trigger: &Trigger, broker: &Component, bridge: &Bridge, notes: &mut Vec<String>) -> Json {
    let mut spec = json!({ "broker": broker.id.name });
    let filters: Vec<Json> = trigger.filters.as_array().into_iter().flatten().map(filter).collect();
    if !filters.is_empty() {
        spec["filters"] = filters.into();
    }
    if let Some(target) = &trigger.target {
        spec["subscriber"] = destination(target, bridge);
    }
    let delivery = delivery(trigger, bridge, notes);
    if !delivery.is_empty() {
        spec["delivery"] = delivery.into();
    }
    if !trigger.bounds.is_null() {
        notes.push(format!("Trigger {}: Knative's Broker has no bounds", trigger.name));
    }
    let metadata = json!({ "name": trigger.name, "namespace": broker.id.namespace });
    json!({ "apiVersion": "eventing.knative.dev/v1", "kind": "Trigger", "metadata": metadata, "spec": spec })
}

/// Knative's dialects are ours, but for a `not` of several.
fn filter(filter: &Json) -> Json {
    let Some(map) = filter.as_object() else { return filter.clone() };
    let convert = |(dialect, value): (&String, &Json)| {
        let value = match (dialect.as_str(), value) {
            ("not", Json::Array(items)) => {
                json!({ "any": items.iter().map(self::filter).collect::<Vec<_>>() })
            }
            ("not", one) => self::filter(one),
            ("all" | "any", Json::Array(items)) => items.iter().map(self::filter).collect(),
            _ => value.clone(),
        };
        (dialect.clone(), value)
    };
    map.iter().map(convert).collect()
}

fn delivery(trigger: &Trigger, bridge: &Bridge, notes: &mut Vec<String>) -> Map<String, Json> {
    let mut delivery = Map::new();
    let mut note = |text: String| notes.push(format!("Trigger {}: {text}", trigger.name));
    for (option, value) in &trigger.delivery {
        let text = crate::catalogue::plain(value);
        match option.as_str() {
            "retry" => {
                drop(delivery.insert(option.clone(), text.parse::<u64>().map_or(value.clone(), Json::from)))
            }
            "backoffPolicy" if text == "constant" => {
                note("Knative has no constant pauses, they grow: backoffPolicy linear".to_owned());
                delivery.insert(option.clone(), "linear".into());
            }
            "backoffPolicy" => drop(delivery.insert(option.clone(), text.into())),
            "backoffDelay" | "timeout" => drop(delivery.insert(option.clone(), iso(&text).into())),
            _ => note(format!("Knative's Broker has no {option}")),
        }
    }
    if let Some(sink) = &trigger.dead_letter {
        delivery.insert("deadLetterSink".to_owned(), destination(sink, bridge));
    }
    delivery
}

/// A duration in the one form that Knative reads.
fn iso(text: &str) -> String {
    match Duration::parse(text) {
        Ok(duration) => format!("PT{}S", duration.as_secs_f64()),
        Err(_) => text.to_owned(),
    }
}

/// A Destination (<https://knative.dev/docs/eventing/sinks/>).
fn destination(destination: &Destination, bridge: &Bridge) -> Json {
    let reference = |api_version: &str, kind: &str, name: &str, namespace: &str, path: &str| {
        let reference =
            json!({ "apiVersion": api_version, "kind": kind, "name": name, "namespace": namespace });
        if path.is_empty() { json!({ "ref": reference }) } else { json!({ "ref": reference, "uri": path }) }
    };
    match destination {
        Destination::Url(url) => json!({ "uri": url }),
        Destination::Outside(object) => {
            let id = &object.id;
            reference(&object.api_version, &id.kind, &id.name, &id.namespace, &object.path)
        }
        Destination::Component { id, path } => {
            let is_broker = |component: &Component| component.id == *id && component.role == Role::Broker;
            if bridge.components.iter().any(is_broker) {
                // Ours takes events at every path, Knative's only at its own.
                return reference("eventing.knative.dev/v1", "Broker", &id.name, &id.namespace, "");
            }
            reference("v1", "Service", &name::of_component(id), &id.namespace, path)
        }
    }
}
