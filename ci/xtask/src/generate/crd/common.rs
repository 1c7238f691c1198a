//! Parts of schemas that many kinds have, as the old controller's API had them.

use serde_json::{Value, json};

/// A mapping of texts.
pub fn texts() -> Value {
    json!({ "type": "object", "additionalProperties": { "type": "string" } })
}

/// Anything at all.
pub fn anything() -> Value {
    json!({ "x-kubernetes-preserve-unknown-fields": true })
}

/// A text that may be long, such as a stylesheet: as a secret, or in a ConfigMap of the namespace.
pub fn long_text() -> Value {
    let mut text = secret();
    text["properties"]["valueFromConfigMap"] = json!({
        "type": "object",
        "description": "A key of a ConfigMap in the namespace of the object.",
        "properties": { "name": { "type": "string" }, "key": { "type": "string" } },
        "required": ["key", "name"],
    });
    if let Some(ways) = text["anyOf"].as_array_mut() {
        ways.push(json!({ "required": ["valueFromConfigMap"] }));
    }
    text
}

/// A secret: in place, or in a Secret of the namespace. The last form is that of some targets.
pub fn secret() -> Value {
    let reference = json!({
        "type": "object",
        "description": "A key of a Secret in the namespace of the object.",
        "properties": { "name": { "type": "string" }, "key": { "type": "string" } },
        "required": ["key", "name"],
    });
    json!({
        "type": "object",
        "properties": {
            "value": { "type": "string", "description": "The value itself; whoever reads the object sees it." },
            "valueFromSecret": reference,
            "secretKeyRef": reference,
        },
        "anyOf": [{ "required": ["value"] }, { "required": ["valueFromSecret"] }, { "required": ["secretKeyRef"] }],
    })
}

/// Where events go (<https://knative.dev/docs/eventing/sinks/>).
pub fn destination(description: &str) -> Value {
    json!({
        "type": "object",
        "description": description,
        "properties": {
            "ref": {
                "type": "object",
                "description": "An object that takes events.",
                "properties": {
                    "apiVersion": { "type": "string" },
                    "group": { "type": "string" },
                    "kind": { "type": "string" },
                    "name": { "type": "string" },
                    "namespace": { "type": "string", "description": "Unless given, that of the object." },
                },
                "required": ["kind", "name"],
            },
            "uri": { "type": "string", "description": "An address, or with `ref` a path of it." },
            "CACerts": { "type": "string", "description": "Certificates that are trusted, in PEM form." },
            "audience": { "type": "string", "description": "Whom the sender's token is for." },
        },
        "anyOf": [{ "required": ["ref"] }, { "required": ["uri"] }],
    })
}

/// Extensions that are set on every event.
pub fn overrides_of_events() -> Value {
    json!({
        "type": "object",
        "description": "Extensions that are set on every event.",
        "properties": { "extensions": texts() },
    })
}

/// What a cluster is told of the process.
pub fn overrides_of_adapter() -> Value {
    let quantities = json!({ "type": "object", "additionalProperties": { "anyOf": [{ "type": "integer" }, { "type": "string" }], "x-kubernetes-int-or-string": true } });
    json!({
        "type": "object",
        "description": "What the cluster is told of the adapter's pods, and more variables for them.",
        "properties": {
            "public": { "type": "boolean", "description": "Whether it is to be reached from outside of the cluster." },
            "env": {
                "type": "array",
                "description": "Variables. What the other fields say wins.",
                "items": {
                    "type": "object",
                    "properties": {
                        "name": { "type": "string" },
                        "value": { "type": "string" },
                        "valueFrom": secret(),
                    },
                    "required": ["name"],
                },
            },
            "resources": { "type": "object", "properties": { "limits": quantities, "requests": quantities } },
            "labels": texts(),
            "annotations": texts(),
            "nodeSelector": texts(),
            "tolerations": { "type": "array", "items": { "type": "object", "properties": {
                "effect": { "type": "string" },
                "key": { "type": "string" },
                "operator": { "type": "string" },
                "tolerationSeconds": { "type": "integer", "format": "int64" },
                "value": { "type": "string" },
            } } },
            "affinity": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
        },
    })
}

/// What a controller finds out; more than these where it likes.
pub fn status() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": true,
        "properties": {
            "conditions": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "type": { "type": "string" },
                        "status": { "type": "string", "enum": ["True", "False", "Unknown"] },
                        "severity": { "type": "string" },
                        "reason": { "type": "string" },
                        "message": { "type": "string" },
                        "lastTransitionTime": { "type": "string" },
                    },
                    "required": ["type", "status"],
                },
            },
            "observedGeneration": { "type": "integer", "format": "int64" },
            "address": { "type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": { "url": text("Where it takes events.") } },
            "sinkUri": text("Where its events go."),
            "ceAttributes": {
                "type": "array",
                "description": "The events it sends.",
                "items": { "type": "object", "properties": { "type": { "type": "string" }, "source": { "type": "string" } } },
            },
            "acceptedEventTypes": { "type": "array", "description": "The events it takes.", "items": { "type": "string" } },
        },
    })
}

/// The path of a member of the condition `Ready`.
pub fn condition(member: &str) -> String {
    format!(".status.conditions[?(@.type==\"Ready\")].{member}")
}
