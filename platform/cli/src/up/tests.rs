//! From one edit of a manifest to what is done about it.

use std::collections::BTreeSet;
use std::path::Path;

use super::diff::{Changes, diff};
use super::launch::{Launch, launches};
use super::ports::Ports;
use crate::bridge::{Bridge, Id};
use crate::catalogue::Catalogue;
use crate::manifest;

const MANIFEST: &str = include_str!("../../tests/fixtures/up.yaml");

fn bridge(text: &str) -> Bridge {
    let catalogue = Catalogue::parse(include_str!("../../tests/fixtures/catalogue.json")).unwrap();
    let lookup = |name: &str| (name == "CA_CRT").then(|| "certificate".to_owned());
    manifest::read(text, &catalogue, &lookup).bridge.unwrap()
}

fn started(text: &str, ports: &mut Ports) -> std::collections::BTreeMap<Id, Launch> {
    launches(&bridge(text), ports, Path::new("/private")).unwrap()
}

/// What an edit (a text replaced by another) changes.
fn edit(from: &str, to: &str) -> Changes {
    let mut ports = Ports::default();
    let before = started(MANIFEST, &mut ports);
    assert!(MANIFEST.contains(from), "{from}");
    let after = started(&MANIFEST.replacen(from, to, 1), &mut ports);
    diff(before.iter(), &after)
}

fn names(ids: &BTreeSet<Id>) -> Vec<&str> {
    ids.iter().map(|id| id.name.as_str()).collect()
}

#[test]
fn addresses_are_wired() {
    let mut ports = Ports::default();
    let launches = started(MANIFEST, &mut ports);
    let by_name = |name: &str| launches.values().find(|launch| launch.label == name).unwrap();
    let (hooks, broker, target) = (by_name("hooks"), by_name("default"), by_name("out"));
    assert_eq!(hooks.environment["K_SINK"], format!("http://127.0.0.1:{}", broker.port));
    assert_eq!(hooks.environment["HOST"], "127.0.0.1");
    assert_eq!(hooks.environment["PORT"], hooks.port.to_string());
    assert_eq!(hooks.environment["DRAIN_SECONDS"], "0");
    assert_ne!(hooks.environment["METRICS_PROMETHEUS_PORT"], hooks.environment["PORT"]);
    let (file, document) = broker.document.as_ref().unwrap();
    assert_eq!(broker.environment["BROKER_CONFIG_PATH"], format!("/private/{file}"));
    let document: serde_json::Value = serde_json::from_str(document).unwrap();
    let expected = serde_json::json!({"triggers": {"all": {
        "filters": [{"exact": {"type": "a"}}],
        "target": {"url": format!("http://127.0.0.1:{}/in", target.port)},
        "deliveryOptions": {"retry": 2, "deadLetterURL": format!("http://127.0.0.1:{}", by_name("dead").port)},
    }}});
    assert_eq!(document, expected);
    let (file, content) = target.files.first_key_value().unwrap();
    assert_eq!(content, "certificate");
    assert_eq!(target.environment["HTTP_CA_CERTIFICATE"], format!("/private/{file}"));
    assert_eq!(by_name("dead").port, 20_001, "a port given in the manifest");
}

#[test]
fn a_port_that_is_none_is_refused() {
    let mut ports = Ports::default();
    let text = MANIFEST.replace("\"20001\"", "none");
    assert!(launches(&bridge(&text), &mut ports, Path::new("/private")).is_err());
}

#[test]
fn nothing_changed() {
    assert!(edit("retry: 2", "retry: 2 # twice").is_empty());
}

#[test]
fn triggers_only_change_the_document() {
    let changes = edit("{exact: {type: a}}", "{prefix: {type: a}}");
    assert_eq!(names(&changes.rerouted), ["default"]);
    assert!(changes.changed.is_empty() && changes.added.is_empty() && changes.removed.is_empty());
}

#[test]
fn another_setting_restarts_that_component() {
    let changes = edit("eventType: a", "eventType: b");
    assert_eq!(names(&changes.changed), ["hooks"]);
    assert!(changes.rerouted.is_empty());
}

#[test]
fn another_name_is_another_component() {
    let changes = edit("name: hooks", "name: doors");
    assert_eq!((names(&changes.added), names(&changes.removed)), (vec!["doors"], vec!["hooks"]));
    assert!(changes.changed.is_empty() && changes.rerouted.is_empty());
}

#[test]
fn a_new_broker_buffer_restarts_the_broker_at_its_old_address() {
    let changes = edit("bufferSize: 10", "bufferSize: 20");
    assert_eq!(names(&changes.changed), ["default"]);
    assert!(changes.added.is_empty() && changes.rerouted.is_empty());
}
