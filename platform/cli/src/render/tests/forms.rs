//! Secrets in every form a manifest may give them, and that none of them is written.

use serde_json::{Value as Json, json};

use super::{ALL, examples, object, objects, rendered, variable};
use crate::manifest::{Mistakes, read_yaml};
use crate::render::Target;
use crate::yaml;

/// In all values that must not be seen.
const CANARY: &str = "hunter2";

const BRIDGE: &str = r#"
apiVersion: sources.triggermesh.io/v1alpha1
kind: WebhookSource
metadata: {name: hooks, namespace: shop}
spec:
  eventType: a
  basicAuthUsername: me
  basicAuthPassword: {value: hunter2}
  adapterOverrides:
    env:
      - {name: LOG_LEVEL, value: debug}
      - {name: OTEL_EXPORTER_OTLP_HEADERS, value: "key=hunter2"}
      - {name: HTTPS_PROXY, value: "http://proxy:hunter2@proxy:3128"}
      - {name: MINE, valueFrom: {secretKeyRef: {name: outside, key: mine}}}
  sink: {ref: {apiVersion: targets.triggermesh.io/v1alpha1, kind: CloudEventsTarget, name: out}}
---
apiVersion: sources.triggermesh.io/v1alpha1
kind: CloudEventsSource
metadata: {name: in, namespace: shop}
spec:
  credentials:
    basicAuths:
      - {username: a, password: {value: hunter2}}
      - {username: b, password: {valueFromSecret: {name: login, key: word}}}
      - {username: c, password: hunter2}
  sink: {ref: {apiVersion: targets.triggermesh.io/v1alpha1, kind: CloudEventsTarget, name: out}}
---
apiVersion: targets.triggermesh.io/v1alpha1
kind: CloudEventsTarget
metadata: {name: out, namespace: shop}
spec:
  endpoint: https://example.com/a$(b)$c
  credentials: {basicAuth: {username: u, password: {valueFromSecret: {name: login, key: word}}}}
---
apiVersion: v1
kind: Secret
metadata: {name: login, namespace: shop}
stringData: {word: hunter2}
"#;

#[test]
fn no_secret_of_an_example_is_written() {
    for (name, text) in examples() {
        let documents = read_yaml(&text, &mut Mistakes::default()).documents;
        let secrets =
            documents.iter().filter(|document| document.get("kind").and_then(|k| k.text()) == Some("Secret"));
        let values: Vec<String> = secrets
            .flat_map(|secret| {
                secret.get("stringData").map(|data| data.entries().to_vec()).unwrap_or_default()
            })
            .filter_map(|(_, value)| value.scalar())
            .collect();
        for to in ALL {
            let (documents, notes) = rendered(&text, to).unwrap_or_else(|why| panic!("{name}: {why}"));
            let written = yaml::documents(&documents) + &notes.join("\n");
            for value in &values {
                assert!(!written.contains(value.as_str()), "{name}: a secret is written");
            }
            // Knative's Broker takes the place of ours, and a secret that only ours had goes with it.
            let is_gone = to == Target::Compose || written.contains("Knative's Broker has no");
            assert!(values.is_empty() || written.contains("secretKeyRef") || is_gone, "{name}");
        }
    }
}

#[test]
fn every_form_becomes_a_reference() {
    let objects = objects(BRIDGE, Target::Kubernetes);
    let text = yaml::documents(&objects);
    assert!(!text.contains(CANARY), "{text}");
    let hooks = object(&objects, "Deployment", "webhooksource-hooks");
    let key = |name: &str, key: &str| json!({ "name": name, "key": key });
    for (name, expected) in [
        ("WEBHOOK_BASICAUTH_PASSWORD", key("webhooksource-hooks-secrets", "WEBHOOK_BASICAUTH_PASSWORD")),
        ("OTEL_EXPORTER_OTLP_HEADERS", key("webhooksource-hooks-secrets", "OTEL_EXPORTER_OTLP_HEADERS")),
        ("HTTPS_PROXY", key("webhooksource-hooks-secrets", "HTTPS_PROXY")),
        ("MINE", key("outside", "mine")),
        ("LOG_LEVEL", json!("debug")),
        ("K_SINK", json!("http://cloudeventstarget-out.shop.svc.cluster.local")),
    ] {
        assert_eq!(*variable(hooks, name), expected, "{name}");
    }
    let source = object(&objects, "Deployment", "cloudeventssource-in");
    let credentials = variable(source, "CLOUDEVENTS_BASICAUTH_CREDENTIALS").as_str().unwrap();
    let path = |number| format!("/var/run/trestle/CLOUDEVENTS_BASICAUTH_CREDENTIALS-{number}");
    let expected = json!([
        {"username": "a", "MountedValueFile": path(0)},
        {"username": "b", "MountedValueFile": path(1)},
        {"username": "c", "MountedValueFile": path(2)},
    ]);
    assert_eq!(serde_json::from_str::<Json>(credentials).unwrap(), expected);
    let out = object(&objects, "Deployment", "cloudeventstarget-out");
    assert_eq!(*variable(out, "CLOUDEVENTS_URL"), "https://example.com/a$$(b)$c");
    let path = "/var/run/trestle/CLOUDEVENTS_BASICAUTH_PASSWORD_PATH";
    assert_eq!(*variable(out, "CLOUDEVENTS_BASICAUTH_PASSWORD_PATH"), path);
    let volumes = &out["spec"]["template"]["spec"]["volumes"];
    let expected = json!([{"name": "secrets", "projected": {"sources": [{"secret": {
        "name": "login", "items": [{"key": "word", "path": "CLOUDEVENTS_BASICAUTH_PASSWORD_PATH"}],
    }}]}}]);
    assert_eq!(*volumes, expected);
}

#[test]
fn what_has_to_be_there_is_said() {
    let (_, notes) = rendered(BRIDGE, Target::Kubernetes).unwrap();
    for expected in [
        "needs Secret login in namespace shop: word",
        "needs Secret outside in namespace shop: mine",
        "needs Secret webhooksource-hooks-secrets in namespace shop: HTTPS_PROXY, OTEL_EXPORTER_OTLP_HEADERS, \
         WEBHOOK_BASICAUTH_PASSWORD, WEBHOOK_BASICAUTH_USERNAME, with what stands in the manifest",
    ] {
        assert!(notes.iter().any(|note| note == expected), "no {expected} in {notes:#?}");
    }
    let (_, notes) = rendered(BRIDGE, Target::Compose).unwrap();
    let note = notes.iter().find(|note| note.starts_with("compose needs")).unwrap();
    for expected in ["LOGIN_WORD_FILE", "OUTSIDE_MINE", "HOOKS_SECRETS_HTTPS_PROXY"] {
        assert!(note.contains(expected), "{note}");
    }
}

#[test]
fn compose_takes_secrets_from_its_environment() {
    let file = &objects(BRIDGE, Target::Compose)[0];
    let text = yaml::documents(std::slice::from_ref(file));
    assert!(!text.contains(CANARY), "{text}");
    let hooks = &file["services"]["hooks"];
    assert_eq!(hooks["environment"]["MINE"], "${OUTSIDE_MINE:?key mine of Secret outside}");
    assert_eq!(hooks["environment"]["K_SINK"], "http://out:8080");
    let out = &file["services"]["out"];
    assert_eq!(out["environment"]["CLOUDEVENTS_URL"], "https://example.com/a$$(b)$$c");
    let target = "/var/run/trestle/CLOUDEVENTS_BASICAUTH_PASSWORD_PATH";
    assert_eq!(out["secrets"], json!([{"source": "login_word", "target": target}]));
    assert_eq!(file["secrets"]["login_word"]["file"], "${LOGIN_WORD_FILE:?key word of Secret login}");
}

#[test]
fn an_address_with_a_password_is_refused() {
    for field in ["sink: {uri: \"http://me:hunter2@example.com\"}", "sink: {uri: \"http://example.com\"}"] {
        let text = format!(
            "apiVersion: sources.triggermesh.io/v1alpha1\nkind: WebhookSource\nmetadata: {{name: h}}\nspec:\n  \
             eventType: a\n  {field}\n"
        );
        for to in ALL {
            let result = rendered(&text, to).map(drop);
            assert_eq!(result.is_err(), field.contains(CANARY), "{result:?}");
            assert!(!format!("{result:?}").contains(CANARY), "{result:?}");
        }
    }
}
