//! Every binary starts with the very environment that TriggerMesh's controller gave its image, as it was recorded. Each is
//! alone in a network without a way out, on the ports that it was given.

use std::fs;

use kit::{Failure, Process, ensure};
use serde_json::{Value, json};

use crate::Named;
use crate::up::root;

pub const TRIALS: &[Named] = &[("what the old controller set starts every binary", starts)];

/// What was recorded.
const RECORDED: &str = "platform/cli/tests/fixtures/controller";
/// Kinds whose objects the original's image read from Kubernetes itself, one image for all of them: its environment names none.
const SHARED: [&str; 2] = ["Filter", "Splitter"];
/// How a program gets a network of its own.
const ALONE: [&str; 3] = ["--net", "--map-root-user", "--"];

fn starts() -> Result<(), Failure> {
    let binaries = kit::process::binaries();
    let mut started = 0;
    for (kind, adapter) in kinds()?.into_iter().filter(|(kind, _)| !SHARED.contains(&&**kind)) {
        let file = root().join(RECORDED).join(format!("{kind}.json"));
        // What the original had no controller for.
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let recorded = json_of(&text)?;
        let binary = binaries.join(&adapter).display().to_string();
        for sample in recorded["samples"].as_array().into_iter().flatten() {
            let mut environment = environment(&sample["environment"])?;
            let others = [("OF_A_LATER_CONTROLLER", "anything"), ("DRAIN_SECONDS", "0")];
            environment.extend(others.map(|(name, value)| (name.to_owned(), value.to_owned())));
            let arguments = [&ALONE[..], &[&binary]].concat();
            let mut process = Process::start("/usr/bin/unshare", &arguments, &environment)?;
            let told = |failure: Failure| format!("{kind}, {adapter}: {failure}\n{}", sample["environment"]);
            process.wait_for_line("listening").map_err(told)?;
            process.stop().map_err(told)?;
            started += 1;
        }
    }
    ensure(started >= 25, || format!("{started} were started"))
}

/// The kinds that there are adapters for, with their adapters.
fn kinds() -> Result<Vec<(String, String)>, Failure> {
    let mut kinds = Vec::new();
    let adapters = fs::read_dir(root().join("adapters")).map_err(|error| error.to_string())?;
    for adapter in adapters.filter_map(Result::ok) {
        let Ok(text) = fs::read_to_string(adapter.path().join("describe.json")) else { continue };
        let described = json_of(&text)?;
        let names = described["kinds"].as_array().into_iter().flatten();
        let names = names.filter_map(|kind| kind["kind"].as_str().map(str::to_owned));
        kinds.extend(names.map(|kind| (kind, adapter.file_name().to_string_lossy().into_owned())));
    }
    kinds.sort();
    Ok(kinds)
}

/// The recorded variables, those from secrets with what could be in them.
fn environment(recorded: &Value) -> Result<Vec<(String, String)>, Failure> {
    let variables = recorded.as_object().into_iter().flatten();
    let value = |name: &str, value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        from if from["secretKeyRef"].is_object() => Ok(secret(name)),
        other => Err(format!("{name} is {other}")),
    };
    variables.map(|(name, given)| Ok((name.clone(), value(name, given)?))).collect()
}

fn secret(name: &str) -> String {
    match name {
        "GCLOUD_SERVICEACCOUNT_KEY" => {
            let mut key = json!({"type": "authorized_user"});
            for part in ["client_id", "client_secret", "refresh_token"] {
                key[part] = "of this trial".into();
            }
            key.to_string()
        }
        "XSLTTRANSFORMATION_XSLT" => {
            r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"/>"#.to_owned()
        }
        _ => "of-this-trial".to_owned(),
    }
}

fn json_of(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}
