//! What the templates of the chart must know of each adapter.

use serde_json::{Map, Value, json};

use crate::document::Description;

/// The scalers of KEDA, each with the settings by which a source of its system is known.
const SCALERS: &[(&str, &[&str])] = &[
    ("aws-sqs-queue", &["ARN", "SQS_VISIBILITY_TIMEOUT"]),
    ("kafka", &["BOOTSTRAP_SERVERS", "TOPIC", "GROUP_ID"]),
    ("gcp-pubsub", &["GCLOUD_PUBSUB_SUBSCRIPTION"]),
    ("azure-eventhub", &["EVENTHUB_CONSUMER_GROUP", "CHECKPOINT_URL"]),
];

/// Sources that are spoken to, as targets are.
const SERVING: &[&str] = &["webhook-source", "gateway"];

/// The setting that names a store of positions other than files.
const STORE: &str = "CHECKPOINT_URL";

/// All of them, by name.
pub fn of(descriptions: &[Description]) -> Value {
    descriptions.iter().map(|one| (one.name.clone(), facts(one))).collect::<Map<_, _>>().into()
}

fn facts(description: &Description) -> Value {
    let source = description.role == "source";
    let settings = description.config.properties.iter().chain(&description.frame.properties);
    let secrets: Map<_, _> = settings
        .filter(|(_, schema)| schema["secret"] == true)
        .map(|(name, _)| (name.clone(), true.into()))
        .collect();
    json!({
        "role": description.role,
        "scaling": description.scaling,
        "serves": !source || SERVING.contains(&description.shape.as_str()),
        "positions": positions(description),
        "secrets": secrets,
        "scaler": if source { scaler(description) } else { "" },
    })
}

/// Where positions are kept: nowhere, in files, or in files unless the setting that is named says otherwise.
fn positions(description: &Description) -> &'static str {
    if description.config.properties.contains_key(STORE) {
        STORE
    } else if description.shape == "poll-source" {
        "files"
    } else {
        ""
    }
}

fn scaler(description: &Description) -> &'static str {
    let has =
        |settings: &[&str]| settings.iter().all(|name| description.config.properties.contains_key(*name));
    SCALERS.iter().find(|(_, settings)| has(settings)).map_or("", |(scaler, _)| scaler)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(shape: &str, settings: &[&str]) -> Description {
        let properties: Map<_, _> = settings.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
        serde_json::from_value(json!({
            "name": "a", "summary": "", "role": "source", "shape": shape, "scaling": "any", "images": [], "kinds": [],
            "config": {"properties": properties}, "frame": {"properties": {}},
        }))
        .unwrap()
    }

    #[test]
    fn a_scaler_is_known_by_the_settings() {
        let kafka = described("log-source", &["BOOTSTRAP_SERVERS", "GROUP_ID", "TOPIC", "CA"]);
        assert_eq!((scaler(&kafka), positions(&kafka)), ("kafka", ""));
        let hub = described("log-source", &["EVENTHUB_CONSUMER_GROUP", "CHECKPOINT_URL"]);
        assert_eq!((scaler(&hub), positions(&hub)), ("azure-eventhub", "CHECKPOINT_URL"));
        let poll = described("poll-source", &["TOPIC"]);
        assert_eq!((scaler(&poll), positions(&poll)), ("", "files"));
    }

    #[test]
    fn only_who_is_spoken_to_serves() {
        assert_eq!(facts(&described("webhook-source", &[]))["serves"], true);
        assert_eq!(facts(&described("queue-source", &[]))["serves"], false);
    }
}
