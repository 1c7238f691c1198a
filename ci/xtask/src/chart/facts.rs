//! What the templates of the chart must know of each adapter.

use serde_json::{Map, Value, json};

use crate::document::Description;

/// The scalers of KEDA, each with the settings by which a source of its system is known.
const SCALERS: &[(&str, &[&str])] = &[
    ("aws-sqs-queue", &["ARN", "SQS_VISIBILITY_TIMEOUT"]),
    ("kafka", &["BOOTSTRAP_SERVERS", "TOPIC", "GROUP_ID"]),
    ("gcp-pubsub", &["GCLOUD_PUBSUB_SUBSCRIPTION"]),
    ("azure-eventhub", &["EVENTHUB_RESOURCE_ID", "EVENTHUB_CONSUMER_GROUP", "CHECKPOINT_URL"]),
];

/// Sources that are spoken to, as targets are.
const SERVING: &[&str] = &["webhook-source", "gateway"];

/// The setting that names a store of positions other than files.
pub const STORE: &str = "CHECKPOINT_URL";

/// A name besides `NAME`, by which metrics are told apart; without it a pod's, which is another after each restart.
const CALLED: &str = "BROKER_NAME";

/// All of them, by name.
pub fn of(descriptions: &[Description]) -> Value {
    descriptions.iter().map(|one| (one.name.clone(), facts(one))).collect::<Map<_, _>>().into()
}

/// Those of one.
pub fn facts(description: &Description) -> Value {
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
        "called": if description.config.properties.contains_key(CALLED) { CALLED } else { "" },
        "secrets": secrets,
        "scaler": scaling(description).0,
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

/// The scaler of a source's system, and the settings of which its trigger is made; empty without one.
fn scaling(description: &Description) -> (&'static str, &'static [&'static str]) {
    let has =
        |settings: &[&str]| settings.iter().all(|name| description.config.properties.contains_key(*name));
    let found = SCALERS.iter().find(|(_, settings)| description.role == "source" && has(settings));
    found.copied().unwrap_or_default()
}

/// The settings of which the trigger of KEDA is made.
pub fn scaler_settings(description: &Description) -> &'static [&'static str] {
    scaling(description).1
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
        assert_eq!((scaling(&kafka).0, positions(&kafka)), ("kafka", ""));
        let hub =
            described("log-source", &["EVENTHUB_RESOURCE_ID", "EVENTHUB_CONSUMER_GROUP", "CHECKPOINT_URL"]);
        assert_eq!((scaling(&hub).0, positions(&hub)), ("azure-eventhub", "CHECKPOINT_URL"));
        let poll = described("poll-source", &["TOPIC"]);
        assert_eq!((scaling(&poll).0, positions(&poll)), ("", "files"));
    }

    #[test]
    fn only_who_is_spoken_to_serves() {
        assert_eq!(facts(&described("webhook-source", &[]))["serves"], true);
        assert_eq!(facts(&described("queue-source", &[]))["serves"], false);
    }
}
