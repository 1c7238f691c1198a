//! A bridge for Compose (<https://github.com/compose-spec/compose-spec/blob/main/spec.md>): a service for each component,
//! secrets from the environment of whoever starts it.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::part::{Part, SECRETS, Value};
use crate::bridge::{Destination, SecretKey, Setting};
use crate::catalogue::Role;

/// The first port of the host that is given away.
const FIRST_PORT: u16 = 8080;

/// The one document; `documents` holds those of brokers, in the order of the parts.
pub fn file(parts: &[Part<'_>], documents: &[Option<String>]) -> Json {
    let (mut services, mut secrets) = (Map::new(), Map::new());
    let mut port = FIRST_PORT..;
    for (part, document) in parts.iter().zip(documents) {
        for key in part.files.values() {
            secrets.insert(secret(key), json!({ "file": wanted(&format!("{}_FILE", key.variable()), key) }));
        }
        // What is sent from outside: to sources that are called, and to brokers.
        let is_open =
            part.component.takes_events && matches!(part.component.role, Role::Source | Role::Broker);
        let port = is_open.then(|| port.next()).flatten();
        services.insert(part.name.clone(), service(part, document.as_deref(), port, parts));
    }
    let mut file = json!({ "services": services });
    let volumes: Map<String, Json> =
        parts.iter().filter(|part| part.positions.is_some()).map(|part| (volume(part), Json::Null)).collect();
    if !volumes.is_empty() {
        file["volumes"] = volumes.into();
    }
    if !secrets.is_empty() {
        file["secrets"] = secrets.into();
    }
    file
}

/// The variables that have to be set when Compose starts.
pub fn variables(parts: &[Part<'_>]) -> BTreeSet<String> {
    let of_part = |part: &Part<'_>| {
        let values = part.environment.values().filter_map(|value| match value {
            Value::Secret(key) => Some(key.variable()),
            Value::Text(_) => None,
        });
        let files = part.files.values().map(|key| format!("{}_FILE", key.variable()));
        values.chain(files).collect::<Vec<_>>()
    };
    parts.iter().flat_map(of_part).collect()
}

fn service(part: &Part<'_>, document: Option<&str>, port: Option<u16>, parts: &[Part<'_>]) -> Json {
    let mut environment: Map<String, Json> =
        part.environment.iter().map(|(name, value)| (name.clone(), text(value).into())).collect();
    if let Some(document) = document {
        environment.insert("BROKER_CONFIG".to_owned(), literal(document.trim_end()).into());
    }
    let mut service = json!({
        "image": part.image,
        "environment": environment,
        "user": "65532:65532",
        "read_only": true,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "restart": "unless-stopped",
        "stop_grace_period": "35s",
    });
    if let Some(port) = port {
        let is_public = part.component.cluster.overrides.get("public") == Some(&Json::Bool(true));
        let host = if is_public { "" } else { "127.0.0.1:" };
        service["ports"] = json!([format!("{host}{port}:{}", part.port)]);
    }
    // Nothing is sent to what is not there. Only for sources: what they send to can never wait for them.
    let sink = match part.component.environment.get("K_SINK") {
        Some(Setting::Address(Destination::Component { id, .. })) if part.component.role == Role::Source => {
            Some(id)
        }
        _ => None,
    };
    if let Some(sink) = parts.iter().find(|other| Some(&other.component.id) == sink) {
        service["depends_on"] = json!([sink.name]);
    }
    if let Some(folder) = &part.positions {
        // A new volume takes its owner from the folder of the image.
        service["volumes"] = json!([format!("{}:{folder}", volume(part))]);
    }
    if !part.files.is_empty() {
        let mount = |(file, key): (&String, &SecretKey)| json!({ "source": secret(key), "target": format!("{SECRETS}/{file}") });
        service["secrets"] = part.files.iter().map(mount).collect();
    }
    service
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => literal(text),
        Value::Secret(key) => wanted(&key.variable(), key),
    }
}

/// A reference that Compose refuses to leave empty.
fn wanted(variable: &str, key: &SecretKey) -> String {
    format!("${{{variable}:?key {} of Secret {}}}", literal(&key.key), literal(&key.name))
}

fn volume(part: &Part<'_>) -> String {
    format!("{}-positions", part.name)
}

/// The name of a secret of the file.
fn secret(key: &SecretKey) -> String {
    key.variable().to_lowercase()
}

/// A text that Compose leaves as it is: a dollar begins a variable.
fn literal(text: &str) -> String {
    text.replace('$', "$$")
}
