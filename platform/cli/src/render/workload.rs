//! What a process is in Kubernetes (<https://kubernetes.io/docs/reference/kubernetes-api/>): a Deployment, a Service, and
//! what belongs to them.

use serde_json::{Map, Value as Json, json};

use super::name::{label, service_port};
use super::part::Part;
use super::pod::pod;
use crate::catalogue::{Role, Scaling};

/// Where a broker looks for its document in its folder unless it is told otherwise.
const BROKER_FILE: &str = "broker.conf";

/// Fields that name an account of Kubernetes', and those that name one of the cloud's, with the annotation that binds it.
const ACCOUNTS: [&str; 2] = ["auth.iam.serviceAccount", "auth.kubernetesServiceAccount"];
const IDENTITIES: [(&str, &str); 2] = [
    ("auth.iam.roleArn", "eks.amazonaws.com/role-arn"),
    ("auth.gcpServiceAccount", "iam.gke.io/gcp-service-account"),
];

/// Whether a field means something here.
pub fn is_known(path: &str) -> bool {
    ACCOUNTS.contains(&path)
        || IDENTITIES.iter().any(|(known, _)| *known == path)
        || path.starts_with("broker.")
}

/// What a component needs beside the process that runs it: account, volume, document.
pub fn beside(part: &Part<'_>, document: Option<String>) -> Vec<Json> {
    let mut objects = Vec::new();
    let identities = identities(part);
    if !identities.is_empty() {
        let mut metadata = metadata(part, account(part).unwrap_or(&part.name));
        annotate(&mut metadata, identities);
        objects.push(json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata }));
    }
    if part.positions.is_some() {
        objects.push(json!({
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata(part, &claim(part)),
            "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "64Mi" } } },
        }));
    }
    if let Some(document) = document {
        objects.push(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(part, &part.name),
            "data": { BROKER_FILE: document },
        }));
    }
    objects
}

/// The Deployment.
pub fn deployment(part: &Part<'_>) -> Json {
    // A volume that one node has at a time cannot be with two pods either.
    let is_alone = part.component.scaling == Scaling::Single || part.positions.is_some();
    let strategy = if is_alone { "Recreate" } else { "RollingUpdate" };
    let mut spec = json!({
        "selector": { "matchLabels": selector(part) },
        "strategy": { "type": strategy },
        "template": template(part),
    });
    // Else the number is whoever scales it to say, and one unless somebody does.
    if is_alone {
        spec["replicas"] = 1.into();
    }
    json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(part, &part.name), "spec": spec })
}

/// The Service in front of it, for one that takes events.
pub fn service(part: &Part<'_>) -> Option<Json> {
    part.component.takes_events.then(|| {
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata(part, &part.name),
            "spec": {
                "ports": [{ "name": "http", "port": service_port(part.component), "targetPort": "http" }],
                "selector": selector(part),
            },
        })
    })
}

/// Name, namespace, labels, and what the manifest adds.
pub fn metadata(part: &Part<'_>, name: &str) -> Json {
    let mut metadata = labelled(part);
    metadata.insert("name".to_owned(), name.into());
    metadata.insert("namespace".to_owned(), part.component.id.namespace.clone().into());
    metadata.into()
}

/// A pod as Deployments and ContainerSources have it.
pub fn template(part: &Part<'_>) -> Json {
    json!({ "metadata": labelled(part), "spec": pod(part) })
}

fn labelled(part: &Part<'_>) -> Map<String, Json> {
    let object = |name| part.component.cluster.overrides.get(name).and_then(Json::as_object).cloned();
    let mut labels = object("labels").unwrap_or_default();
    labels.append(&mut selector(part));
    for (name, value) in [("component", role(part)), ("managed-by", "trestle"), ("part-of", "trestle")] {
        labels.insert(format!("app.kubernetes.io/{name}"), value.into());
    }
    let mut metadata = Map::from_iter([("labels".to_owned(), labels.into())]);
    if let Some(annotations) = object("annotations") {
        metadata.insert("annotations".to_owned(), annotations.into());
    }
    metadata
}

fn annotate(metadata: &mut Json, more: Map<String, Json>) {
    if let Some(metadata) = metadata.as_object_mut() {
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.extend(more);
        }
    }
}

fn selector(part: &Part<'_>) -> Map<String, Json> {
    let id = &part.component.id;
    let name = |name: &str| format!("app.kubernetes.io/{name}");
    Map::from_iter([
        (name("instance"), label(&id.name).into()),
        (name("name"), label(&id.kind.to_lowercase()).into()),
    ])
}

fn role(part: &Part<'_>) -> &'static str {
    match part.component.role {
        Role::Target => "target",
        Role::Transformation => "transformation",
        Role::Broker => "broker",
        Role::Source => "source",
    }
}

/// The name of the volume for positions.
pub fn claim(part: &Part<'_>) -> String {
    label(&format!("{}-positions", part.name))
}

/// The account that its pods run as, when it is not that of the namespace.
pub fn run_as<'p>(part: &'p Part<'_>) -> Option<&'p str> {
    account(part).or_else(|| (!identities(part).is_empty()).then_some(part.name.as_str()))
}

/// The annotations that bind an account to one of the cloud's.
fn identities(part: &Part<'_>) -> Map<String, Json> {
    let annotation = |(path, name): &(&str, &str)| {
        Some(((*name).to_owned(), part.component.cluster.fields.get(*path)?.clone()))
    };
    IDENTITIES.iter().filter_map(annotation).collect()
}

fn account<'p>(part: &'p Part<'_>) -> Option<&'p str> {
    ACCOUNTS.iter().find_map(|path| part.component.cluster.fields.get(*path)?.as_str())
}
