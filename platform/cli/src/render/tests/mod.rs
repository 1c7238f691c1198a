//! From a bridge to what is written, for each platform.

mod controller;
mod forms;
mod platforms;

use std::path::Path;

use serde_json::Value as Json;

use super::{Options, Target, platform, render};
use crate::catalogue::{Catalogue, EMBEDDED};
use crate::manifest::{Reading, read_for};
use crate::yaml;

const ALL: [Target; 3] = [Target::Kubernetes, Target::Knative, Target::Compose];

fn options(to: Target) -> Options<'static> {
    Options { to, out: None, namespace: "default", image_prefix: "localhost", tag: "dev" }
}

fn reading(text: &str, to: Target) -> Reading {
    read_for(platform(to), "default", text, &Catalogue::parse(EMBEDDED).unwrap())
}

fn mistakes(text: &str, to: Target) -> Vec<String> {
    reading(text, to).mistakes.iter().map(|mistake| mistake.render("b.yaml")).collect()
}

/// All documents and notes.
fn rendered(text: &str, to: Target) -> Result<(Vec<Json>, Vec<String>), String> {
    let (bridge, _) = reading(text, to).outcome("b.yaml")?;
    let rendered = render(&bridge, &options(to), &Catalogue::parse(EMBEDDED).unwrap())?;
    Ok((rendered.files.into_values().flatten().collect(), rendered.notes))
}

fn objects(text: &str, to: Target) -> Vec<Json> {
    rendered(text, to).unwrap_or_else(|why| panic!("{why}")).0
}

/// The one object of a kind, or the one of that name among them.
fn object<'o>(objects: &'o [Json], kind: &str, name: &str) -> &'o Json {
    let is_it = |object: &&Json| object["kind"] == kind && object["metadata"]["name"] == name;
    objects.iter().find(is_it).unwrap_or_else(|| panic!("no {kind} {name} in\n{}", yaml::documents(objects)))
}

/// The value of a variable in a pod: a text, or where it comes from.
fn variable<'o>(deployment: &'o Json, name: &str) -> &'o Json {
    let entries = deployment["spec"]["template"]["spec"]["containers"][0]["env"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["name"] == name);
    let entry = entry.unwrap_or_else(|| panic!("no {name} in {entries:#?}"));
    if entry["value"].is_null() { &entry["valueFrom"]["secretKeyRef"] } else { &entry["value"] }
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The examples, by name.
fn examples() -> Vec<(String, String)> {
    let mut examples = Vec::new();
    for entry in std::fs::read_dir(root().join("examples")).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".yaml") && !name.ends_with(".test.yaml") {
            examples.push((name, std::fs::read_to_string(entry.path()).unwrap()));
        }
    }
    assert!(examples.len() > 5);
    examples.sort();
    examples
}
