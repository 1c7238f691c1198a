//! What the old controller of TriggerMesh gave its pods, as it was recorded: the images start with it.

use std::fs;

use kit::{Failure, ensure};
use serde_json::{Value, json};

use crate::kubectl::json_of;
use crate::place::Place;
use crate::setup;

/// Kinds and the names of their old images.
const KINDS: [(&str, &str); 2] =
    [("WebhookSource", "webhooksource-adapter"), ("Transformation", "transformation-adapter")];
/// The folder with what was recorded.
const RECORDED: &str = "platform/cli/tests/fixtures/controller";

/// Every sample becomes a ready pod, under the old name of the image, with a variable that nobody knows.
pub fn starts() -> Result<(), Failure> {
    let place = Place::new("controller")?;
    let (registry, tag, policy) = setup::registry();
    let mut pods = Vec::new();
    for (kind, image) in KINDS {
        let file = setup::root().join(RECORDED).join(format!("{kind}.json"));
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let recorded = json_of(&text)?;
        for (number, sample) in recorded["samples"].as_array().into_iter().flatten().enumerate() {
            let given = sample["environment"].as_object().into_iter().flatten();
            let mut environment: Vec<Value> = given
                .map(|(name, value)| json!({"name": name, "value": value.as_str().unwrap_or_default()}))
                .collect();
            environment.push(json!({"name": "OF_A_LATER_CONTROLLER", "value": "anything"}));
            pods.push(json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": format!("{}-{number}", kind.to_lowercase()), "labels": {"app.kubernetes.io/part-of": "trestle"}},
                "spec": {
                    "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
                    "containers": [{
                        "name": "adapter", "image": format!("{registry}/{image}:{tag}"), "imagePullPolicy": policy,
                        "env": environment,
                        "readinessProbe": {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 1},
                        "securityContext": {
                            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
                        },
                    }],
                },
            }));
        }
    }
    ensure(pods.len() >= KINDS.len(), || "nothing was recorded".to_owned())?;
    place.apply(&pods)?;
    place
        .kubectl(&["wait", "pods", "--all", "--for=condition=Ready", "--timeout", "120s"])
        .map(drop)
        .map_err(|failure| format!("{failure}\n{}", place.said()))
}
