//! The definitions that follow from the committed descriptions: each is one an API server takes, takes what it should, and
//! names what it should not.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::structural::{faults_of_schema, faults_of_value};
use super::{definitions, files};
use crate::document::Description;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn paths(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    paths
}

fn descriptions() -> Vec<Description> {
    let folders = std::fs::read_dir(root().join("adapters")).unwrap().flatten();
    let texts =
        folders.filter_map(|folder| std::fs::read_to_string(folder.path().join("describe.json")).ok());
    let found: Vec<Description> = texts.map(|text| serde_json::from_str(&text).unwrap()).collect();
    assert!(!found.is_empty());
    found
}

fn all() -> Vec<Value> {
    definitions(&descriptions()).unwrap()
}

fn schema(definition: &Value) -> &Value {
    &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
}

/// What is wrong with an object: its own kind's schema, and what every object has.
fn faults(all: &[Value], object: &Value) -> Option<Vec<String>> {
    let group = object["apiVersion"].as_str()?.split_once('/')?.0;
    let is_its = |definition: &&Value| {
        definition["spec"]["names"]["kind"] == object["kind"] && definition["spec"]["group"] == group
    };
    let definition = all.iter().find(is_its)?;
    let mut inner = object.clone();
    for name in ["apiVersion", "kind", "metadata"] {
        inner.as_object_mut()?.remove(name);
    }
    let mut faults = Vec::new();
    faults_of_value(schema(definition), &inner, "", &mut faults);
    Some(faults)
}

/// The objects of the examples.
fn examples() -> Vec<Value> {
    let mut objects = Vec::new();
    for path in
        paths("examples", "yaml").iter().filter(|path| !path.to_string_lossy().ends_with(".test.yaml"))
    {
        let text = std::fs::read_to_string(path).unwrap();
        let mut mistakes = trestle::manifest::Mistakes::default();
        objects.extend(
            trestle::manifest::read_yaml(&text, &mut mistakes).documents.iter().map(|node| node.to_json()),
        );
    }
    objects
}

/// What the old controller was given and what it made of it: objects with their status.
fn recorded() -> Vec<Value> {
    let mut objects = Vec::new();
    for path in paths("platform/cli/tests/fixtures/controller", "json") {
        let fixture: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for sample in fixture["samples"].as_array().unwrap() {
            let mut object = sample["object"].clone();
            if sample["status"].is_object() {
                object["status"] = sample["status"].clone();
            }
            objects.push(object);
        }
    }
    objects
}

#[test]
fn every_schema_is_structural() {
    let mut faults = Vec::new();
    for definition in all() {
        let kind = definition["spec"]["names"]["kind"].as_str().unwrap().to_owned();
        faults_of_schema(schema(&definition), &kind, &mut faults);
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn examples_and_objects_of_the_old_controller_are_accepted() {
    let all = all();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for object in examples().iter().chain(&recorded()) {
        if let Some(faults) = faults(&all, object) {
            count += 1;
            wrong.extend(
                faults
                    .iter()
                    .map(|fault| format!("{} {}: {fault}", object["kind"], object["metadata"]["name"])),
            );
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(count > 70, "{count}");
}

#[test]
fn a_misspelt_field_is_refused_by_its_name() {
    let all = all();
    let mut count = 0;
    for object in recorded() {
        if faults(&all, &object).is_none() {
            continue;
        }
        for name in object["spec"].as_object().unwrap().keys() {
            let mut misspelt = object.clone();
            let spec = misspelt["spec"].as_object_mut().unwrap();
            let value = spec.remove(name).unwrap();
            spec.insert(format!("{name}x"), value);
            let expected = format!("unknown field \".spec.{name}x\"");
            let found = faults(&all, &misspelt).unwrap();
            assert!(found.contains(&expected), "{}: {found:?}", object["kind"]);
            count += 1;
        }
    }
    assert!(count > 50, "{count}");
}

#[test]
fn what_stands_deeper_is_checked_too() {
    let all = all();
    let object = |spec: Value| json!({"apiVersion": "sources.triggermesh.io/v1alpha1", "kind": "AWSSQSSource", "metadata": {"name": "a"}, "spec": spec});
    let sink = json!({"uri": "http://example.com"});
    let key = json!({"valueFromSecrets": {"name": "a", "key": "b"}});
    for (spec, expected) in [
        (json!({"sink": sink}), ".spec lacks one of [\"arn\",\"sink\"]"),
        (json!({"arn": 5, "sink": sink}), ".spec.arn: 5 is no \"string\""),
        (json!({"arn": "a", "sink": {"url": "http://a"}}), "unknown field \".spec.sink.url\""),
        (
            json!({"arn": "a", "sink": sink, "auth": {"credentials": {"accessKeyID": key}}}),
            "unknown field \".spec.auth.credentials.accessKeyID.valueFromSecrets\"",
        ),
        (
            json!({"arn": "a", "sink": sink, "messageProcessor": "s4"}),
            ".spec.messageProcessor: \"s4\" is none of [String(\"default\"), String(\"s3\"), String(\"eventbridge\")]",
        ),
        (
            json!({"arn": "a", "sink": sink, "adapterOverrides": {"env": [{"nam": "A"}]}}),
            "unknown field \".spec.adapterOverrides.env[0].nam\"",
        ),
    ] {
        let found = faults(&all, &object(spec)).unwrap();
        assert!(found.iter().any(|fault| fault == expected), "no {expected} in {found:?}");
    }
}

#[test]
fn there_is_one_file_for_each_kind_and_none_besides() {
    let expected: Vec<String> = {
        let mut names: Vec<String> =
            files(&descriptions()).unwrap().into_iter().map(|(path, _)| path).collect();
        names.sort();
        names
    };
    let found = paths("charts/trestle-crds/files", "yaml");
    let found: Vec<String> =
        found.iter().map(|path| path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(found, expected);
}
