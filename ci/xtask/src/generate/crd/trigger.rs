//! The trigger: which events of a broker go where.

use serde_json::{Value, json};

use super::common::{self, anything, texts};
use super::{Names, column, definition, resource};

/// How deep filters stand in filters before anything may stand there: schemas cannot refer to themselves.
const DEPTH: usize = 3;

/// The definition.
pub fn definition_of_kind() -> Value {
    let names = Names { group: "eventing.triggermesh.io", version: "v1alpha1", kind: "Trigger" };
    let columns = vec![
        column("Broker", ".spec.broker.name".to_owned()),
        column("Target", ".status.targetUri".to_owned()),
        column("Ready", common::condition("status")),
        column("Reason", common::condition("reason")),
    ];
    let mut definition = definition(&names, columns);
    let mut status = common::status();
    for (name, meaning) in [
        ("targetUri", "Where its events go."),
        ("deadLetterSinkUri", "Where an event goes that cannot be delivered."),
    ] {
        status["properties"][name] = json!({ "type": "string", "description": meaning });
    }
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"] =
        resource("Which events of a broker go where.", spec(), status);
    definition
}

fn spec() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let bound = || json!({ "type": "object", "properties": { "start": { "type": "string" }, "end": { "type": "string" } } });
    json!({
        "type": "object",
        "properties": {
            "broker": {
                "type": "object",
                "description": "The broker, in the same namespace.",
                "properties": {
                    "apiVersion": { "type": "string" },
                    "group": { "type": "string" },
                    "kind": { "type": "string" },
                    "name": { "type": "string" },
                    "namespace": { "type": "string" },
                },
                "required": ["kind", "name"],
            },
            "filters": {
                "type": "array",
                "description": "An event passes when every filter does, and without any.",
                "items": filter(DEPTH),
            },
            "target": common::destination("Where the events go."),
            "delivery": {
                "type": "object",
                "description": "What happens when an event cannot be delivered.",
                "properties": {
                    "retry": { "type": "integer", "minimum": 0, "description": "How often a failed delivery is tried again." },
                    "backoffPolicy": { "type": "string", "enum": ["constant", "linear", "exponential"] },
                    "backoffDelay": text("The first pause, as `PT0.5S` or `500ms`."),
                    "timeout": text("Time that one attempt may take."),
                    "concurrency": { "type": "integer", "minimum": 1, "maximum": 1000, "description": "Attempts that are out at once." },
                    "orderBy": text("Attribute by which events keep their order."),
                    "deadLetterSink": common::destination("Where an event goes that cannot be delivered."),
                },
            },
            "bounds": {
                "type": "object",
                "description": "Which past events are delivered; not by a MemoryBroker.",
                "properties": { "byId": bound(), "byDate": bound() },
            },
        },
        "required": ["broker"],
    })
}

fn filter(depth: usize) -> Value {
    let inner = if depth == 0 { anything() } else { filter(depth - 1) };
    json!({
        "type": "object",
        "properties": {
            "exact": texts(),
            "prefix": texts(),
            "suffix": texts(),
            "all": { "type": "array", "items": inner },
            "any": { "type": "array", "items": inner },
            // A filter, or a list of them.
            "not": anything(),
            "cesql": { "type": "string", "description": "An expression in CloudEvents SQL." },
        },
    })
}
