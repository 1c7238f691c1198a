//! The custom resource definitions of our kinds
//! (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/>), from what the
//! adapters say of themselves; a trigger is written by hand, because no adapter has it.

mod common;
mod spec;
#[cfg(test)]
mod structural;
#[cfg(test)]
mod tests;
mod trigger;
/// The command's own writer: its file alone, because the whole command would have to be built before the first chore.
#[path = "../../../../platform/cli/src/yaml.rs"]
mod yaml;

use serde_json::{Value, json};

use crate::cli::Failure;
use crate::document::{Description, Kind};

/// The groups that are ours; kinds of others have their definitions from those.
const OURS: &str = ".triggermesh.io";

/// The files, by their path in the checkout.
pub fn files(descriptions: &[Description]) -> Result<Vec<(String, String)>, Failure> {
    let file = |definition: Value| {
        let name = definition["metadata"]["name"].as_str().unwrap_or_default();
        (format!("charts/trestle-crds/files/{name}.yaml"), yaml::documents(&[definition]))
    };
    Ok(definitions(descriptions)?.into_iter().map(file).collect())
}

/// The definitions, one for each kind.
fn definitions(descriptions: &[Description]) -> Result<Vec<Value>, Failure> {
    let mut definitions = vec![trigger::definition_of_kind()];
    for description in descriptions {
        for kind in description.kinds.iter().filter(|kind| kind.group.ends_with(OURS)) {
            definitions.push(of_kind(description, kind)?);
        }
    }
    Ok(definitions)
}

fn of_kind(description: &Description, kind: &Kind) -> Result<Value, Failure> {
    let takes_events = description.takes_events();
    let mut columns =
        vec![column("Ready", common::condition("status")), column("Reason", common::condition("reason"))];
    if takes_events {
        columns.push(column("URL", ".status.address.url".to_owned()));
    }
    if description.role == "source" {
        columns.push(column("Sink", ".status.sinkUri".to_owned()));
    }
    let mut definition =
        definition(&Names { group: &kind.group, version: &kind.version, kind: &kind.kind }, columns);
    for (name, types) in [
        ("registry.knative.dev/eventTypes", &description.emits),
        ("registry.triggermesh.io/acceptedEventTypes", &description.accepts),
    ] {
        // What depends on a setting is no type yet.
        let types: Vec<Value> = types
            .iter()
            .filter(|name| !name.contains(['*', '{']))
            .map(|name| json!({ "type": name }))
            .collect();
        if !types.is_empty() {
            definition["metadata"]["annotations"][name] = Value::from(types).to_string().into();
        }
    }
    let spec = spec::schema(description, kind).map_err(|error| format!("{}: {error}", kind.kind))?;
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"] =
        resource(&description.summary, spec, common::status());
    Ok(definition)
}

struct Names<'a> {
    group: &'a str,
    version: &'a str,
    kind: &'a str,
}

/// A definition without its schema.
fn definition(names: &Names<'_>, mut columns: Vec<Value>) -> Value {
    let singular = names.kind.to_lowercase();
    let plural = format!("{singular}s");
    columns.push(json!({ "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp" }));
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{plural}.{}", names.group),
            "labels": { "app.kubernetes.io/part-of": "trestle", "triggermesh.io/crd-install": "true" },
            // Without its definition every object of a kind is deleted.
            "annotations": { "helm.sh/resource-policy": "keep" },
        },
        "spec": {
            "group": names.group,
            "names": {
                "kind": names.kind,
                "listKind": format!("{}List", names.kind),
                "plural": plural,
                "singular": singular,
                "categories": ["all", "eventing", "trestle"],
            },
            "scope": "Namespaced",
            "versions": [{
                "name": names.version,
                "served": true,
                "storage": true,
                "subresources": { "status": {} },
                "schema": {},
                "additionalPrinterColumns": columns,
            }],
        },
    })
}

fn column(name: &str, path: String) -> Value {
    json!({ "name": name, "type": "string", "jsonPath": path })
}

/// The schema of an object.
fn resource(description: &str, spec: Value, status: Value) -> Value {
    let required = if spec["required"].is_array() { json!(["spec"]) } else { json!([]) };
    let mut schema = json!({
        "type": "object",
        "description": description,
        "properties": { "spec": spec, "status": status },
    });
    if required != json!([]) {
        schema["required"] = required;
    }
    schema
}
