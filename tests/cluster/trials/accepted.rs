//! What the API server says of our manifests, strictly: the definitions, objects of them, and what the chart makes.

use std::fs;
use std::path::{Path, PathBuf};

use kit::{Failure, ensure, within};
use serde_json::{Value, json};

use crate::kubectl::{json_of, kubectl};
use crate::place::{PATIENCE, Place};
use crate::{helm, setup};

/// The label of all definitions of `charts/trestle-crds`.
const OURS: &str = "app.kubernetes.io/part-of=trestle";

/// All definitions are established, every example is accepted, and a misspelt field is refused by its name in every kind.
pub fn definitions() -> Result<(), Failure> {
    let place = Place::new("definitions")?;
    let before = known("triggermesh.io")?;
    ensure(before.is_empty(), || {
        format!("the cluster has definitions of TriggerMesh, which ours would replace: {before:?}")
    })?;
    let mut made = Made(Vec::new());
    let installed = helm::install("trestle-crds", &place.name, &json!({}));
    made.0 = known("triggermesh.io")?;
    installed?;
    let files = files(&setup::root().join("charts/trestle-crds/files"))?.len();
    ensure(made.0.len() == files, || format!("{files} files, {} definitions", made.0.len()))?;
    established(&["crds", "--selector", OURS])?;

    let examples = files_of_examples()?;
    ensure(!examples.is_empty(), || "there are no examples".to_owned())?;
    for example in examples {
        let text = fs::read_to_string(&example).map_err(|error| error.to_string())?;
        dry_run(&place, &text).map_err(|failure| format!("{}: {failure}", example.display()))?;
    }
    for definition in
        json_of(&kubectl(&["get", "crds", "--selector", OURS, "--output", "json"], "")?)?["items"]
            .as_array()
            .into_iter()
            .flatten()
    {
        let spec = &definition["spec"];
        for version in spec["versions"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let kind = text(&spec["names"]["kind"]);
            let object = json!({
                "apiVersion": format!("{}/{}", text(&spec["group"]), text(&version["name"])), "kind": kind,
                "metadata": {"name": "misspelt"}, "spec": {"mispelt": 1},
            });
            let refused = dry_run(&place, &object.to_string()).err().unwrap_or_default();
            ensure(refused.contains(r#"unknown field "spec.mispelt""#), || format!("{kind}: {refused:?}"))?;
        }
    }
    Ok(())
}

/// The chart with every adapter and everything switched on, in every mode, with the definitions of Knative, KEDA and the
/// Prometheus operator.
pub fn every_adapter() -> Result<(), Failure> {
    let place = Place::new("every")?;
    let mut made = Made(Vec::new());
    for file in setup::definitions()? {
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let name = text.lines().find_map(|line| line.strip_prefix("  name: ")).unwrap_or_default();
        if known(name)?.is_empty() {
            kubectl(&["create", "--filename", "-"], &text)?;
            made.0.push(format!("customresourcedefinition.apiextensions.k8s.io/{name}"));
        }
    }
    for name in &made.0 {
        established(&[name])?;
    }
    let file = setup::root().join("charts/trestle/ci/every-adapter-values.yaml");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    // It is written as JSON.
    let mut values = json_of(&text)?;
    for part in ["serviceMonitor", "prometheusRule", "dashboard"] {
        values[part] = json!({"enabled": true});
    }
    values["defaults"]["networkPolicy"] = json!({"enabled": true});
    for mode in ["Deployment", "ContainerSource", "SinkBinding"] {
        values["mode"] = mode.into();
        let manifest = helm::template("trestle", &place.name, &values)?;
        let said = dry_run(&place, &manifest.to_string()).map_err(|failure| format!("{mode}: {failure}"))?;
        ensure(said.lines().count() > 50, || format!("{mode}: no more than this: {said}"))?;
    }
    Ok(())
}

/// Waits until definitions are served. kubectl gives up on one that has no conditions yet.
fn established(which: &[&str]) -> Result<(), Failure> {
    let wait = [&["wait"], which, &["--for=condition=Established", "--timeout", "60s"]].concat();
    within(PATIENCE, "definitions that are served", || kubectl(&wait, "").ok()).map(drop)
}

/// What the API server says without doing it.
fn dry_run(place: &Place, manifest: &str) -> Result<String, Failure> {
    let arguments =
        ["--namespace", &place.name, "create", "--dry-run=server", "--validate=strict", "--filename", "-"];
    kubectl(&arguments, manifest)
}

/// The definitions whose name ends like this.
fn known(end: &str) -> Result<Vec<String>, Failure> {
    let all = kubectl(&["get", "crds", "--output", "name"], "")?;
    Ok(all.lines().filter(|name| name.ends_with(end)).map(str::to_owned).collect())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let fault = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(fault)?.collect::<Result<Vec<_>, _>>().map_err(fault)?;
    Ok(entries
        .into_iter()
        .map(|entry| entry.path())
        .filter(|file| file.extension().is_some_and(|end| end == "yaml"))
        .collect())
}

/// Bridges; what is tested with them is no object of a cluster.
fn files_of_examples() -> Result<Vec<PathBuf>, Failure> {
    let all = files(&setup::root().join("examples"))?;
    Ok(all.into_iter().filter(|file| !file.to_string_lossy().ends_with(".test.yaml")).collect())
}

/// Definitions that a trial has made; dropping it takes them away.
struct Made(Vec<String>);

impl Drop for Made {
    fn drop(&mut self) {
        for name in &self.0 {
            let _ = kubectl(&["delete", name, "--ignore-not-found", "--wait=false"], "");
        }
    }
}
