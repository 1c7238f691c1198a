//! What a process is in Kubernetes: a Deployment under the restricted Pod Security Standard
//! (<https://kubernetes.io/docs/concepts/security/pod-security-standards/>), and what belongs to it.

use serde_json::{Map, Value as Json, json};

use super::name::{label, service_port};
use super::part::{Part, SECRETS, Value};
use crate::catalogue::{Role, Scaling};

/// Who runs in the images; the group owns volumes.
const USER: u32 = 65532;
const METRICS: u32 = 9092;
/// More than a component takes to finish what is in flight.
const GRACE_SECONDS: u32 = 35;
/// Where a broker looks for its document unless it is told otherwise.
const BROKER_FOLDER: &str = "/etc/triggermesh";
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
    let identities: Map<String, Json> = IDENTITIES
        .iter()
        .filter_map(|(path, name)| Some(((*name).to_owned(), field(part, path)?.clone())))
        .collect();
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

fn pod(part: &Part<'_>) -> Json {
    let (volumes, mounts) = volumes(part);
    let override_or =
        |name: &str, default: Json| part.component.cluster.overrides.get(name).cloned().unwrap_or(default);
    let probe = |path: &str, period: u32, failures: u32| json!({ "httpGet": { "path": path, "port": "http" }, "periodSeconds": period, "failureThreshold": failures });
    let mut container = json!({
        "name": "adapter",
        "image": part.image,
        "env": environment(part),
        "ports": [
            { "name": "http", "containerPort": part.port },
            { "name": "metrics", "containerPort": metrics(part) },
        ],
        "startupProbe": probe("/health", 1, 60),
        "livenessProbe": probe("/healthz", 10, 6),
        "readinessProbe": probe("/readyz", 5, 2),
        "resources": override_or("resources", json!({ "requests": { "cpu": "10m", "memory": "32Mi" } })),
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "capabilities": { "drop": ["ALL"] },
            "readOnlyRootFilesystem": true,
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
    });
    if !mounts.is_empty() {
        container["volumeMounts"] = mounts.into();
    }
    let mut pod = json!({
        "automountServiceAccountToken": false,
        "containers": [container],
        // Else each Service of the namespace adds variables, some of which have the names of settings.
        "enableServiceLinks": false,
        "securityContext": {
            "fsGroup": USER,
            "runAsGroup": USER,
            "runAsNonRoot": true,
            "runAsUser": USER,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "terminationGracePeriodSeconds": GRACE_SECONDS.max(drain(part) + 30),
    });
    if !volumes.is_empty() {
        pod["volumes"] = volumes.into();
    }
    let own = IDENTITIES.iter().any(|(path, _)| field(part, path).is_some()).then_some(part.name.as_str());
    if let Some(account) = account(part).or(own) {
        pod["serviceAccountName"] = account.into();
    }
    for name in ["affinity", "nodeSelector", "tolerations"] {
        if let Some(value) = part.component.cluster.overrides.get(name) {
            pod[name] = value.clone();
        }
    }
    pod
}

fn environment(part: &Part<'_>) -> Vec<Json> {
    let entry = |(name, value): (&String, &Value)| match value {
        Value::Text(text) => json!({ "name": name, "value": literal(text) }),
        Value::Secret(key) => {
            json!({ "name": name, "valueFrom": { "secretKeyRef": { "name": key.name, "key": key.key } } })
        }
    };
    part.environment.iter().map(entry).collect()
}

/// A text that Kubernetes leaves as it is: it takes `$(NAME)` for another variable, and `$$` for one dollar.
fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        literal.push(c);
        if c == '$' && matches!(rest.peek(), Some('$' | '(')) {
            literal.push('$');
        }
    }
    literal
}

fn volumes(part: &Part<'_>) -> (Vec<Json>, Vec<Json>) {
    let (mut volumes, mut mounts) = (Vec::new(), Vec::new());
    let mut add = |name: &str, folder: &str, is_read_only: bool, mut volume: Json| {
        volume["name"] = name.into();
        volumes.push(volume);
        let mut mount = json!({ "name": name, "mountPath": folder });
        if is_read_only {
            mount["readOnly"] = true.into();
        }
        mounts.push(mount);
    };
    if part.component.role == Role::Broker {
        add("document", BROKER_FOLDER, true, json!({ "configMap": { "name": part.name } }));
    }
    if let Some(folder) = &part.positions {
        add("positions", folder, false, json!({ "persistentVolumeClaim": { "claimName": claim(part) } }));
    }
    if !part.files.is_empty() {
        let source = |(file, key): (&String, &crate::bridge::SecretKey)| json!({ "secret": { "name": key.name, "items": [{ "key": key.key, "path": file }] } });
        let sources: Vec<Json> = part.files.iter().map(source).collect();
        add("secrets", SECRETS, true, json!({ "projected": { "sources": sources } }));
    }
    (volumes, mounts)
}

fn metrics(part: &Part<'_>) -> u32 {
    number(part, "METRICS_PROMETHEUS_PORT").filter(|port| *port > 0).unwrap_or(METRICS)
}

/// Seconds after SIGTERM in which it still takes requests.
fn drain(part: &Part<'_>) -> u32 {
    number(part, "DRAIN_SECONDS").unwrap_or_default()
}

fn number(part: &Part<'_>, variable: &str) -> Option<u32> {
    match part.environment.get(variable) {
        Some(Value::Text(text)) => text.parse().ok(),
        _ => None,
    }
}

fn claim(part: &Part<'_>) -> String {
    label(&format!("{}-positions", part.name))
}

fn account<'p>(part: &'p Part<'_>) -> Option<&'p str> {
    ACCOUNTS.iter().find_map(|path| field(part, path)?.as_str())
}

fn field<'p>(part: &'p Part<'_>, path: &str) -> Option<&'p Json> {
    part.component.cluster.fields.get(path)
}

#[cfg(test)]
mod tests {
    #[test]
    fn kubernetes_leaves_a_literal_as_it_was() {
        for (text, expected) in
            [("$name", "$name"), ("$(A)", "$$(A)"), ("$$", "$$$"), ("a$$(b", "a$$$$(b"), ("5$", "5$")]
        {
            assert_eq!(super::literal(text), expected);
            assert_eq!(expand(expected), text);
        }
    }

    /// As k8s.io/kubernetes/third_party/forked/golang/expansion does where no variable is known.
    fn expand(text: &str) -> String {
        let (mut out, mut rest) = (String::new(), text.chars().peekable());
        while let Some(c) = rest.next() {
            out.push(c);
            if c == '$' && rest.peek() == Some(&'$') {
                rest.next();
            }
        }
        out
    }
}
