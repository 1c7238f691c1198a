//! The pod of a component, under the restricted Pod Security Standard
//! (<https://kubernetes.io/docs/concepts/security/pod-security-standards/>).

use serde_json::{Value as Json, json};

use super::part::{Part, SECRETS, Value};
use super::workload::{claim, run_as};
use crate::bridge::SecretKey;
use crate::catalogue::Role;

/// Who runs in the images; the group owns volumes.
const USER: u32 = 65532;
const METRICS: u32 = 9092;
/// More than a component takes to finish what is in flight.
const GRACE_SECONDS: u32 = 35;
/// Where a broker looks for its document unless it is told otherwise.
const BROKER_FOLDER: &str = "/etc/triggermesh";

/// The `spec` of a pod.
pub fn pod(part: &Part<'_>) -> Json {
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
    if let Some(account) = run_as(part) {
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
        let source = |(file, key): (&String, &SecretKey)| json!({ "secret": { "name": key.name, "items": [{ "key": key.key, "path": file }] } });
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
