//! Triggers: which broker, which events, where to.

use serde_json::{Map, Value as Json};

use super::document;
use super::filter::filters;
use super::mistake::Mistakes;
use super::node::Node;
use super::object::Object;
use super::reference::{Index, unknown_keys};
use crate::bridge::{Id, Trigger};
use crate::catalogue::Role;

/// The kind and its group.
pub const KIND: &str = "Trigger";
pub const GROUP: &str = "eventing.triggermesh.io";

/// What its `spec` has, for people.
pub const FIELDS: [(&str, &str); 16] = [
    ("spec.broker", "group, kind and name of the broker, in the same namespace"),
    ("spec.filters", "list; an event passes when every filter in it does, and without any"),
    ("spec.filters[].exact", "attributes with the value each must have: {type: com.example.order}"),
    ("spec.filters[].prefix", "attributes with what each must begin with"),
    ("spec.filters[].suffix", "attributes with what each must end with"),
    ("spec.filters[].all, any", "list of filters, all or one of which must pass"),
    ("spec.filters[].not", "a filter that must not pass"),
    ("spec.filters[].cesql", "an expression in CloudEvents SQL: type LIKE 'com.%' AND EXISTS subject"),
    ("spec.target", "where the events go: ref {apiVersion, kind, name}, or uri"),
    ("spec.delivery.retry", "how often a failed delivery is tried again"),
    ("spec.delivery.backoffPolicy", "constant, linear or exponential"),
    ("spec.delivery.backoffDelay", "the first pause, as PT0.5S or 500ms"),
    ("spec.delivery.deadLetterSink", "where an event goes that cannot be delivered: ref, or uri"),
    (
        "spec.delivery.timeout, concurrency, orderBy",
        "of one attempt; attempts at a time; attribute to keep the order by",
    ),
    (
        "spec.bounds.byId",
        "start and end by ids of the broker's log: 1646995200000-0 of a Redis stream, an offset of Kafka",
    ),
    ("spec.bounds.byDate", "the same by time (RFC 3339); both count when the trigger is new"),
];

/// What a broker takes as it is written; `deadLetterSink` is an address and goes apart.
const OPTIONS: [&str; 6] = ["retry", "backoffPolicy", "backoffDelay", "timeout", "concurrency", "orderBy"];

/// A trigger and the broker it belongs to.
pub fn read(object: &Object, index: &Index<'_>, mistakes: &mut Mistakes) -> Option<(Id, Trigger)> {
    let spec = object.spec();
    unknown_keys(&spec, "spec", &["broker", "filters", "target", "delivery", "bounds"], mistakes);
    let namespace = &object.id.namespace;
    let broker = broker(object, &spec, index, mistakes);
    let filters = spec.get("filters").map(|node| filters(node, "spec.filters", mistakes)).unwrap_or_default();
    let bounds = spec.get("bounds").map(|node| bounds(node, broker.as_ref(), index, mistakes));
    let mut trigger = Trigger {
        name: object.id.name.clone(),
        filters: filters.into(),
        target: None,
        delivery: Map::new(),
        dead_letter: None,
        bounds: bounds.unwrap_or_default(),
    };
    match spec.get("target") {
        Some(node) => trigger.target = index.destination(node, "spec.target", namespace, mistakes),
        None => {
            mistakes.add(object.at, format!("{} has no 'spec.target': where do its events go?", object.id))
        }
    }
    if let Some(delivery) = spec.get("delivery") {
        let mut known = OPTIONS.to_vec();
        known.push("deadLetterSink");
        unknown_keys(delivery, "spec.delivery", &known, mistakes);
        document::check_delivery(delivery, mistakes);
        for option in OPTIONS {
            if let Some(value) = delivery.get(option) {
                trigger.delivery.insert(option.to_owned(), value.to_json());
            }
        }
        if let Some(node) = delivery.get("deadLetterSink") {
            trigger.dead_letter =
                index.destination(node, "spec.delivery.deadLetterSink", namespace, mistakes);
        }
    }
    Some((broker?, trigger))
}

/// Whether an event is lost that cannot be delivered at the first try. A broker with a log keeps it.
pub fn may_lose(trigger: &Trigger, broker: &Id, index: &Index<'_>) -> bool {
    let tries_again = trigger.delivery.get("retry").is_some_and(|retry| retry != 0);
    !tries_again && trigger.dead_letter.is_none() && !index.keeps_events(broker)
}

/// Says so.
pub fn warn_of_loss(object: &Object, mistakes: &mut Mistakes) {
    let message = format!(
        "{} has neither 'spec.delivery.retry' nor 'spec.delivery.deadLetterSink': an event that cannot be delivered at once is lost",
        object.id
    );
    mistakes.warn(object.at, message);
}

/// The bounds as the broker takes them, where it is one that can.
fn bounds(node: &Node, broker: Option<&Id>, index: &Index<'_>, mistakes: &mut Mistakes) -> Json {
    match broker {
        Some(broker) if !index.keeps_events(broker) => {
            let message =
                format!("'spec.bounds': a {} keeps no past events and cannot replay them", broker.kind);
            mistakes.add(node.at, message);
        }
        _ => {
            unknown_keys(node, "spec.bounds", &["byId", "byDate"], mistakes);
            document::check_bounds(node, broker.and_then(|broker| index.ids(broker)), mistakes);
        }
    }
    node.to_json()
}

fn broker(object: &Object, spec: &Node, index: &Index<'_>, mistakes: &mut Mistakes) -> Option<Id> {
    let Some(node) = spec.get("broker") else {
        mistakes.add(object.at, format!("{} has no 'spec.broker' (group, kind, name)", object.id));
        return None;
    };
    let id = index.component(node, "spec.broker", &object.id.namespace, mistakes)?;
    if index.role(&id) != Some(Role::Broker) {
        mistakes.add(node.at, format!("'spec.broker': {id} is not a broker"));
        return None;
    }
    if id.namespace != object.id.namespace {
        mistakes.add(node.at, "'spec.broker' must be in the namespace of the trigger");
        return None;
    }
    Some(id)
}
