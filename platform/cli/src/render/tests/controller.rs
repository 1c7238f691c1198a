//! What TriggerMesh's controller made of an object, and what comes of the same object here: every variable of the adapter
//! has the same value.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{objects, root};
use crate::catalogue::{Adapter, Catalogue, EMBEDDED, plain};
use crate::render::Target;

/// The configuration of the controller's own, which it hands to every adapter, and its namespace, which those had that read
/// objects from Kubernetes themselves. Adapters here read the level of the first.
const OF_CONTROLLER: [&str; 4] =
    ["K_LOGGING_CONFIG", "K_METRICS_CONFIG", "K_TRACING_CONFIG", "SYSTEM_NAMESPACE"];

/// What a variable that is not set means, where the schema does not say.
const DEFAULTS: [(&str, &str); 3] = [
    ("K_SINK_TIMEOUT", "30"),
    ("METRICS_PROMETHEUS_PORT", "9092"),
    // No extensions.
    ("K_CE_OVERRIDES", "null"),
];

/// What the controller created outside and named itself, the user says: the kind, the fields, and which variable has it.
const CREATED: [(&str, &[&str], &str); 4] = [
    ("AWSS3Source", &["destination", "sqs", "queueARN"], "ARN"),
    ("AWSEventBridgeSource", &["destination", "sqs", "queueARN"], "ARN"),
    ("AzureBlobStorageSource", &["endpoint", "eventHubs", "hubName"], "EVENTHUB_NAME"),
    ("AzureEventGridSource", &["endpoint", "eventHubs", "hubName"], "EVENTHUB_NAME"),
];

/// The same fact in parts, which the adapter puts together itself.
fn put_together(name: &str, ours: &BTreeMap<String, Json>) -> Option<String> {
    let text = |name: &str| ours.get(name).and_then(Json::as_str);
    let after = |id: &str, kind: &str| {
        let mut segments = id.split('/').skip_while(|segment| *segment != kind);
        segments.nth(1).map(str::to_owned)
    };
    let hub = || {
        let parts =
            || Some(format!("{}/eventhubs/{}", text("EVENTHUB_NAMESPACE_ID")?, text("EVENTHUB_NAME")?));
        text("EVENTHUB_RESOURCE_ID").map(str::to_owned).or_else(parts)
    };
    match name {
        "CE_SOURCE" => {
            let bucket = text("GCLOUD_STORAGE_BUCKET").map(|bucket| format!("gs://{bucket}"));
            bucket.or_else(|| Some(format!("/subscriptions/{}", text("AZURE_SUBSCRIPTION_ID")?)))
        }
        "EVENTHUB_RESOURCE_ID" => hub(),
        "EVENTHUB_NAMESPACE" => after(&hub()?, "namespaces"),
        "EVENTHUB_NAME" => after(&hub()?, "eventhubs"),
        "GCLOUD_PUBSUB_SUBSCRIPTION" => {
            let project = text("GCLOUD_PUBSUB_PROJECT").or(text("GCLOUD_PUBSUB_TOPIC"))?;
            let project = after(project, "projects").unwrap_or_else(|| project.to_owned());
            Some(format!("projects/{project}/subscriptions/{}", text(name)?))
        }
        _ => None,
    }
}

fn fixtures() -> Vec<Json> {
    let folder = root().join("platform/cli/tests/fixtures/controller");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths.iter().map(|path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()).collect()
}

/// The environment that is rendered; secrets as references.
fn environment(object: &Json) -> BTreeMap<String, Json> {
    let objects = objects(&object.to_string(), Target::Kubernetes);
    let deployment = objects.iter().find(|object| object["kind"] == "Deployment").unwrap();
    let entries = deployment["spec"]["template"]["spec"]["containers"][0]["env"].as_array().unwrap();
    let pair = |entry: &Json| {
        let value = if entry["value"].is_null() { &entry["valueFrom"] } else { &entry["value"] };
        (entry["name"].as_str().unwrap().to_owned(), value.clone())
    };
    entries.iter().map(pair).collect()
}

/// The object with what the user has to say because no controller finds it out.
fn completed(kind: &str, sample: &Json) -> Json {
    let mut object = sample["object"].clone();
    for (_, path, variable) in CREATED.iter().filter(|(created, ..)| *created == kind) {
        let place = path.iter().fold(&mut object["spec"], |node, step| &mut node[*step]);
        *place = sample["environment"][*variable].clone();
    }
    object
}

/// What a variable is when nobody sets it.
fn default(adapter: &Adapter, name: &str) -> Option<Json> {
    let default = adapter.setting(name).and_then(|setting| setting.default.as_ref()).map(plain);
    let fixed = DEFAULTS.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    default.filter(|default| !default.is_empty()).or(fixed).map(Json::from)
}

#[test]
fn variables_have_the_values_that_the_controller_gave() {
    let catalogue = Catalogue::parse(EMBEDDED).unwrap();
    let (mut faults, mut kinds) = (Vec::new(), 0);
    for fixture in fixtures() {
        let kind = fixture["kind"].as_str().unwrap();
        let Some((adapter, _)) = catalogue.kind(kind) else { continue };
        kinds += 1;
        for sample in fixture["samples"].as_array().unwrap() {
            let ours = environment(&completed(kind, sample));
            for (name, expected) in sample["environment"].as_object().unwrap() {
                if OF_CONTROLLER.contains(&name.as_str()) || expected == "" {
                    continue;
                }
                let given = ours.get(name).cloned().or_else(|| default(adapter, name));
                let found = given.filter(|given| given == expected);
                let found = found.or_else(|| put_together(name, &ours).map(Json::from));
                if found.as_ref() != Some(expected) {
                    faults.push(format!("{kind}: {name} is {:?}, not {expected}", ours.get(name)));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(kinds >= 20, "{kinds}");
}

/// Variables that adapters here do not know; they do not mind them.
#[test]
fn what_adapters_do_not_know_is_known() {
    let catalogue = Catalogue::parse(EMBEDDED).unwrap();
    let mut unknown = BTreeSet::new();
    for fixture in fixtures() {
        let kind = fixture["kind"].as_str().unwrap();
        let Some((adapter, _)) = catalogue.kind(kind) else { continue };
        for sample in fixture["samples"].as_array().unwrap() {
            let names = sample["environment"].as_object().unwrap().keys();
            unknown.extend(names.filter(|name| adapter.setting(name).is_none()).cloned());
        }
    }
    // The two of Event Hubs say what is in the resource's id; the others are for logs, metrics and traces of the original.
    let expected = [
        "EVENTHUB_NAME",
        "EVENTHUB_NAMESPACE",
        "K_COMPONENT",
        "K_METRICS_CONFIG",
        "K_TRACING_CONFIG",
        "SYSTEM_NAMESPACE",
    ];
    assert_eq!(unknown.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn every_kind_of_ours_was_recorded() {
    let recorded: BTreeSet<String> =
        fixtures().iter().map(|fixture| fixture["kind"].as_str().unwrap().to_owned()).collect();
    let catalogue = Catalogue::parse(EMBEDDED).unwrap();
    let missing: Vec<&str> = catalogue
        .kinds()
        .map(|(_, kind)| kind.kind.as_str())
        .filter(|kind| !recorded.contains(*kind))
        .collect();
    // Three that the controller never had, and the brokers, of which another controller ran two.
    let expected =
        ["Aggregator", "DisplayTarget", "KafkaBroker", "MemoryBroker", "PingSource", "RedisBroker"];
    assert_eq!(missing, expected);
}
