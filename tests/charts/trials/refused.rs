//! What is refused, and that the mistake is named.

use kit::ensure;
use serde_json::Value;

use crate::{Outcome, Trials, catalogue, helm};

pub const TRIALS: Trials = &[
    ("a misspelt setting of every adapter", misspelt),
    ("a missing setting of every adapter", missing),
    ("what is wrong in other ways", wrong),
    ("what is right in unusual ways", right),
];

/// A queue source and a target, to which the lines are added.
const BASE: &str = "\
adapters:
- name: orders
  kind: kafka-source
  config: &config {TOPIC: orders, GROUP_ID: shop, BOOTSTRAP_SERVERS: 'kafka:9092'}
  sink: {adapter: shop}
- name: shop
  kind: display-target
";

/// Values that are refused: what is added to the first adapter, and the words of the refusal.
const WRONG: &[(&str, &[&str])] = &[
    (
        "config: {TOPIC: orders, GROUP_ID: shop, BOOTSTRAP_SERVERS: 'kafka:9092', MAX_IN_FLIGHT: many}",
        &["MAX_IN_FLIGHT", "many"],
    ),
    (
        "config: {TOPIC: orders, GROUP_ID: shop, BOOTSTRAP_SERVERS: 'kafka:9092', MAX_IN_FLIGHT: 0}",
        &["MAX_IN_FLIGHT", "minimum"],
    ),
    (
        "config: {TOPIC: orders, GROUP_ID: shop, BOOTSTRAP_SERVERS: 'kafka:9092', SASL_ENABLE: maybe}",
        &["SASL_ENABLE"],
    ),
    (
        "config: {TOPIC: orders, GROUP_ID: shop, BOOTSTRAP_SERVERS: 'kafka:9092', SESSION_TIMEOUT: soon}",
        &["SESSION_TIMEOUT", "soon"],
    ),
    (
        "config: {TOPIC: orders, GROUP_ID: shop, BOOTSTRAP_SERVERS: 'kafka:9092', SECURITY_MECHANISMS: NTLM}",
        &["SECURITY_MECHANISMS", "SCRAM-SHA-256"],
    ),
    ("config: {TOPIC: 5, GROUP_ID: shop, BOOTSTRAP_SERVERS: 'kafka:9092'}", &["TOPIC", "want string"]),
    (
        "config: {TOPIC: orders, GROUP_ID: shop, BOOTSTRAP_SERVERS: 'kafka:9092', K_SINK: 'http://a'}",
        &["K_SINK"],
    ),
    ("secretRefs: {PASWORD: {name: a, key: b}}", &["PASWORD"]),
    ("secretRefs: {PASSWORD: {name: a}}", &["PASSWORD", "key"]),
    ("secretFiles: {TOPIC: {name: a, key: b}}", &["TOPIC"]),
    (
        "secretRefs: {TOPIC: {name: a, key: b}}",
        &["orders", "TOPIC is given twice, in config and in secretRefs"],
    ),
    ("env: [{name: TOPIC, value: b}]", &["TOPIC is given twice, in config and in env"]),
    ("replcas: 2", &["replcas"]),
    ("mode: DaemonSet", &["mode", "SinkBinding"]),
    ("kind: kafka-sorce", &["kind", "kafka-source"]),
    ("name: Orders", &["name", "Orders"]),
    ("name: shop", &["shop (display-target): another one is called shop, too"]),
    ("sink: null", &["sink"]),
    ("sink: nowhere", &["sink", "nowhere"]),
    ("sink: {adapter: nobody}", &["sink is adapter nobody, which is not there"]),
    ("sink: {adapter: orders}", &["sink is adapter orders, which takes no events"]),
    (
        "sink: {ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default}}",
        &["sink is a Broker", "SinkBinding"],
    ),
    ("sink: {uri: 'https://a', audience: b}", &["sink.audience needs Knative"]),
    ("deadLetterSink: {adapter: nobody}", &["deadLetterSink is adapter nobody"]),
    ("keda: {enabled: true, minReplcas: 2}", &["minReplcas"]),
    ("tls: {}", &["tls", "secretName"]),
    ("resources: 5", &["resources"]),
];

/// Adapters that are refused alone.
const ALONE: &[(&str, &[&str])] = &[
    ("{name: a, kind: ping-source}", &["a (ping-source): a source needs a sink"]),
    ("{name: a, kind: ping-source, sink: 'http://a', replicas: 2}", &["replicas", "maximum"]),
    ("{name: a, kind: ping-source, sink: 'http://a', keda: {enabled: true}}", &["KEDA has no scaler"]),
    (
        "{name: a, kind: azure-eventhubs-source, sink: 'http://a', config: {EVENTHUB_NAME: a}, replicas: 2}",
        &["replicas is 2, but its positions are files unless CHECKPOINT_URL is set"],
    ),
    (
        "{name: a, kind: azure-eventhubs-source, sink: 'http://a', config: {EVENTHUB_NAME: a}, keda: {enabled: true}}",
        &["keda is enabled, but its positions are files"],
    ),
    (
        "{name: a, kind: aws-sqs-source, sink: 'http://a', secretRefs: {ARN: {name: a, key: b}}, keda: {enabled: true}}",
        &["takes the queue from ARN in config"],
    ),
];

fn misspelt() -> Outcome {
    each(|adapter, _| {
        adapter["config"]["LOG_LEVLE"] = "info".into();
        vec!["LOG_LEVLE".to_owned()]
    })
}

fn missing() -> Outcome {
    each(|adapter, description| {
        let required: Vec<String> = description["config"]["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        for part in ["config", "secretRefs"] {
            for name in &required {
                if let Some(part) = adapter.get_mut(part).and_then(Value::as_object_mut) {
                    part.remove(name);
                }
            }
        }
        required
    })
}

/// Does something to each adapter alone; it must be refused with these names, if there are any.
fn each(change: impl Fn(&mut Value, &Value) -> Vec<String>) -> Outcome {
    let everything = catalogue::everything()?;
    let descriptions = catalogue::descriptions()?;
    for adapter in everything["adapters"].as_array().into_iter().flatten() {
        let description = descriptions.iter().find(|one| one["name"] == adapter["kind"]);
        let mut adapter = adapter.clone();
        let names = change(&mut adapter, description.unwrap_or(&Value::Null));
        if !names.is_empty() {
            refused(&serde_json::json!({"adapters": [adapter]}), &names)?;
        }
    }
    Ok(())
}

fn refused<S: AsRef<str>>(values: &Value, words: &[S]) -> Outcome {
    match helm::render(values) {
        Ok(_) => Err(format!("not refused: {values}")),
        Err(error) => {
            let named = words.iter().all(|word| error.contains(word.as_ref()));
            ensure(named, || format!("{values}\nis refused in other words: {error}"))
        }
    }
}

/// The base with other values of its first adapter.
fn changed(lines: &str) -> Result<Value, kit::Failure> {
    let mut values = helm::values(BASE)?;
    for (name, value) in helm::values(lines)?.as_object().into_iter().flatten() {
        values["adapters"][0][name] = value.clone();
    }
    Ok(values)
}

fn wrong() -> Outcome {
    helm::render(&helm::values(BASE)?)?;
    for (lines, words) in WRONG {
        refused(&changed(lines)?, words)?;
    }
    for (adapter, words) in ALONE {
        refused(&helm::values(&format!("adapters: [{adapter}]"))?, words)?;
    }
    for (line, word) in [
        ("adapter: []", "adapter"),
        ("defaults: {config: {TOPIC: a}}", "TOPIC"),
        ("defaults: {name: a}", "name"),
    ] {
        refused(&helm::values(line)?, &[word])?;
    }
    Ok(())
}

fn right() -> Outcome {
    for lines in [
        "config: {TOPIC: orders, GROUP_ID: shop, BOOTSTRAP_SERVERS: 'kafka:9092', MAX_IN_FLIGHT: '5', SASL_ENABLE: 'true'}",
        "config: {TOPIC: orders, GROUP_ID: shop, BOOTSTRAP_SERVERS: 'kafka:9092', PASSWORD_FILE: /a, SESSION_TIMEOUT: PT0.5S}",
        "{config: {TOPIC: orders, GROUP_ID: shop}, secretRefs: {BOOTSTRAP_SERVERS: {name: a, key: b}}}",
        "{config: {TOPIC: orders, GROUP_ID: shop}, env: [{name: BOOTSTRAP_SERVERS, valueFrom: {configMapKeyRef: {name: a, key: b}}}]}",
        "{config: {}, envFrom: [{secretRef: {name: a}}]}",
        "{env: [{name: HTTPS_PROXY, value: 'http://proxy:3128'}]}",
        "{secretFiles: {PASSWORD: {name: a, key: b}}}",
    ] {
        let values = changed(lines)?;
        helm::render(&values).map_err(|error| format!("{lines}: {error}"))?.is_valid()?;
    }
    Ok(())
}
