//! Values with every adapter, each with what it must have: they are rendered by the tests and accepted by a real API server.

use serde_json::{Map, Value, json};

use super::facts;
use crate::document::Description;

/// What a setting of this format can be, where the adapter names no example.
const FORMATS: &[(&str, &str)] = &[
    ("uri", "https://example.com/"),
    ("duration", "1m"),
    (
        "azure-resource-id",
        "/subscriptions/S/resourceGroups/RG/providers/Microsoft.EventHub/namespaces/NS/eventhubs/HUB",
    ),
];

/// The values. All that a chart can have for an adapter is switched on, KEDA where there is a scaler.
pub fn of(descriptions: &[Description]) -> Value {
    json!({
        "adapters": descriptions.iter().map(adapter).collect::<Vec<_>>(),
        "dashboard": {"enabled": true},
        "defaults": {"networkPolicy": {"enabled": true}},
        "prometheusRule": {"enabled": true},
        "serviceMonitor": {"enabled": true},
    })
}

fn adapter(description: &Description) -> Value {
    let fact = facts::facts(description);
    let mut config = Map::new();
    let mut secrets = Map::new();
    for (name, schema) in &description.config.properties {
        let required = description.config.required.contains(name);
        if required && schema["secret"] == true {
            secrets.insert(name.clone(), json!({"name": description.name, "key": name}));
        } else if required || facts::scaler_settings(description).contains(&name.as_str()) {
            config.insert(name.clone(), sample(name, schema));
        }
    }
    let mut adapter = json!({"name": description.name, "kind": description.name});
    if !config.is_empty() {
        adapter["config"] = config.into();
    }
    if !secrets.is_empty() {
        adapter["secretRefs"] = secrets.into();
    }
    if fact["scaler"] != "" {
        adapter["keda"] = json!({"enabled": true});
    }
    if description.role == "source" {
        adapter["sink"] = json!({"uri": "http://sink.example.com/"});
    }
    adapter
}

/// A value that a setting can have.
fn sample(name: &str, schema: &Value) -> Value {
    if name == facts::STORE {
        return "https://account.blob.core.windows.net/positions".into();
    }
    let format = schema["format"].as_str().unwrap_or_default();
    let known = FORMATS.iter().find(|(known, _)| *known == format).map(|(_, sample)| json!(sample));
    let given = [&schema["examples"][0], &schema["default"], &schema["enum"][0]];
    given.into_iter().find(|one| !one.is_null()).cloned().or(known).unwrap_or_else(|| "example".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_the_adapters_own_if_it_has_one() {
        assert_eq!(sample("A", &json!({"examples": ["a"], "format": "uri"})), "a");
        assert_eq!(sample("A", &json!({"enum": ["x", "y"]})), "x");
        assert_eq!(sample("A", &json!({"format": "duration"})), "1m");
        assert_eq!(sample("A", &json!({})), "example");
    }
}
