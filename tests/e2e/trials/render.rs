//! What `trestle render` writes, before those who read it: Compose's own loader
//! (<https://github.com/compose-spec/compose-go>), the schemas of Kubernetes and of Knative; and the definitions of our own
//! kinds, before the examples.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kit::{Failure, Folder, ensure};
use peers::{helm, install};
use serde_json::{Value, json};

use crate::Named;
use crate::up::{quickstart, replace, root, trestle};

pub const TRIALS: &[Named] = &[
    ("Compose loads every example, with values as they are", compose),
    ("the schemas of Kubernetes and Knative take every example, strictly", schemas),
    ("the chart of definitions is clean, and its definitions take every example", definitions),
    ("into a folder, the same each time", folder),
    ("a mistake is named, and nothing is written", mistake),
    ("objects as a cluster gives them", of_a_cluster),
];

/// A version whose program reads its environment; those after it do not.
const COMPOSE: (&str, &str) = ("github.com/compose-spec/compose-go/v2/cmd", "v2.1.0");
/// Where Knative defines what is written for it.
const KNATIVE: (&str, &str, [&str; 4]) = (
    "knative.dev/eventing",
    "v0.50.0",
    ["broker.yaml", "containersource.yaml", "sinkbindings.yaml", "trigger.yaml"],
);
/// A value that would not survive being taken for something else.
const ODD: &str = "a\"b$c: {d}";

fn run(command: &mut Command) -> Result<(String, Output), Failure> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((text(&output.stdout), output))
}

fn render(bridge: &Path, to: &str, more: &[&str]) -> Result<(String, Output), Failure> {
    run(trestle().arg("render").arg(bridge).args(["--to", to]).args(more))
}

/// What the command says beside what it writes.
fn notes(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The bridges among the examples.
fn examples() -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(root().join("examples")).map_err(|error| format!("examples: {error}"))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|name| name == "yaml"));
    paths.retain(|path| !path.to_string_lossy().ends_with(".test.yaml"));
    paths.sort();
    Ok(paths)
}

fn compose() -> Result<(), Failure> {
    let loader = install::go(COMPOSE.0, COMPOSE.1)?;
    let folder = Folder::new()?;
    for example in examples()? {
        let (text, output) = render(&example, "compose", &[])?;
        ensure(output.status.success(), || notes(&output))?;
        folder.file("compose.yaml", &text)?;
        let notes = notes(&output);
        let needed = notes
            .lines()
            .find_map(|line| Some(line.strip_prefix("note: compose needs")?.split_once(": ")?.1));
        let variables: Vec<&str> = needed.map(|names| names.split(", ").collect()).unwrap_or_default();
        let load = || {
            let mut load = Command::new(&loader);
            load.args(["-format", "json", "compose.yaml"]).current_dir(folder.path());
            load
        };
        if !variables.is_empty() {
            let (_, output) = run(&mut load())?;
            ensure(!output.status.success(), || format!("{}: it needs no secret", example.display()))?;
        }
        let (text, output) = run(load().envs(variables.iter().map(|name| (*name, ODD))))?;
        ensure(output.status.success(), || String::from_utf8_lossy(&output.stderr).into_owned())?;
        let loaded: Value = serde_json::from_str(&text).map_err(|error| format!("{error} in\n{text}"))?;
        if example.ends_with("slack.yaml") {
            let variable =
                |service: &str, name: &str| loaded["services"][service]["environment"][name].clone();
            let data = variable("answer", "TRANSFORMATION_DATA").to_string();
            ensure(data.contains("Hello <@$user>!"), || data)?;
            let token = variable("bot", "SLACK_TOKEN");
            ensure(token == ODD, || token.to_string())?;
        }
    }
    Ok(())
}

/// The documents of a YAML text, as Kubernetes reads them.
fn documents(text: &str) -> Result<Vec<Value>, Failure> {
    text.split("\n---\n").map(helm::values).collect()
}

fn schemas() -> Result<(), Failure> {
    let folder = install::go_source(KNATIVE.0, KNATIVE.1)?.join("config/core/resources");
    let knative: Vec<PathBuf> = KNATIVE.2.iter().map(|file| folder.join(file)).collect();
    let fixture = root().join("platform/cli/tests/fixtures/render.yaml");
    for bridge in examples()?.into_iter().chain([fixture]) {
        for (to, definitions) in [("kubernetes", &[][..]), ("knative", &knative)] {
            let (text, output) = render(&bridge, to, &["--namespace", "shop"])?;
            ensure(output.status.success(), || notes(&output))?;
            let objects = documents(&text)?;
            for version in ["1.25", "1.34", "1.37"] {
                let problems = helm::validate(&objects, definitions, version)?;
                ensure(problems.is_empty(), || {
                    format!("{} for {to} {version}: {problems:#?}", bridge.display())
                })?;
            }
        }
    }
    Ok(())
}

fn definitions() -> Result<(), Failure> {
    let chart = root().join("charts/trestle-crds");
    let found = helm::lint(&chart, &json!({}))?;
    ensure(found == json!([]), || format!("{found:#}"))?;
    let (definitions, notes) = helm::template(&chart, "kinds", "default", &json!({}))?;
    ensure(notes.contains("No controller acts on them yet") && notes.contains("trestle render"), || notes)?;
    let problems = helm::validate(&definitions, &[], "1.34")?;
    ensure(problems.is_empty() && definitions.len() > 20, || format!("{problems:#?}"))?;
    let entries =
        fs::read_dir(chart.join("files")).map_err(|error| format!("{}: {error}", chart.display()))?;
    let files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    for example in examples()? {
        let text = fs::read_to_string(&example).map_err(|error| format!("{}: {error}", example.display()))?;
        // Those that others define are none of ours.
        let is_ours =
            |object: &Value| object["apiVersion"].as_str().is_some_and(|it| it.contains("triggermesh.io/"));
        let mut objects: Vec<Value> = documents(&text)?.into_iter().filter(is_ours).collect();
        let problems = helm::validate(&objects, &files, "1.34")?;
        ensure(problems.is_empty(), || format!("{}: {problems:#?}", example.display()))?;
        for object in &mut objects {
            object["spec"]["misspelt"] = true.into();
        }
        let problems = helm::validate(&objects, &files, "1.34")?;
        let are_named = problems.iter().all(|problem| problem.contains("misspelt"));
        ensure(problems.len() == objects.len() && are_named, || format!("{problems:#?}"))?;
    }
    Ok(())
}

fn folder() -> Result<(), Failure> {
    let folder = Folder::new()?;
    let out = folder.path().join("out").display().to_string();
    let quickstart = root().join("examples/quickstart.yaml");
    let arguments = ["--out", &out, "--image-prefix", "registry.example.com/mine", "--tag", "1"];
    let (listed, output) = render(&quickstart, "knative", &arguments)?;
    ensure(output.status.success() && listed.lines().count() == 4, || listed.clone() + &notes(&output))?;
    let mut all = String::new();
    for path in listed.lines() {
        all += &fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        all += "---\n";
    }
    ensure(all.contains("registry.example.com/mine/webhook-source:1"), || all.clone())?;
    let (text, _) =
        render(&quickstart, "knative", &["--image-prefix", "registry.example.com/mine", "--tag", "1"])?;
    ensure(all.trim_end_matches("---\n") == text, || format!("{all}\nis not\n{text}"))
}

fn mistake() -> Result<(), Failure> {
    let folder = Folder::new()?;
    let manifest = replace(&quickstart()?, "kind: PingSource", "kind: PinSource")?;
    let bridge = folder.file("bridge.yaml", &manifest)?;
    let out = folder.path().join("out");
    let (text, output) = render(Path::new(&bridge), "kubernetes", &["--out", &out.display().to_string()])?;
    let is_named =
        notes(&output).contains("bridge.yaml:19:7: unknown kind 'PinSource'; did you mean 'PingSource'?");
    let nothing = text.is_empty() && !out.exists();
    ensure(output.status.code() == Some(1) && is_named && nothing, || text + &notes(&output))
}

/// As `kubectl get --output yaml` prints them: a list, each with what the API server and the old controller have added.
fn of_a_cluster() -> Result<(), Failure> {
    let folder = Folder::new()?;
    let broker = json!({"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "default"});
    let object = json!({
        "apiVersion": "sources.triggermesh.io/v1alpha1", "kind": "WebhookSource",
        "metadata": {
            "name": "hooks", "namespace": "shop", "uid": "0b2f6d1c", "generation": 1, "resourceVersion": "7",
            "creationTimestamp": "2024-01-02T03:04:05Z", "annotations": {"example.com/note": "kept"},
        },
        "spec": {"eventType": "com.example.order", "sink": {"ref": broker}},
        "status": {"sinkUri": "http://broker-ingress.knative-eventing.svc.cluster.local/shop/default"},
    });
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [object]});
    let file = folder.file("shop.yaml", &list.to_string())?;
    let (text, output) = render(Path::new(&file), "knative", &[])?;
    ensure(output.status.success(), || notes(&output))?;
    let objects = documents(&text)?;
    let binding =
        objects.iter().find(|object| object["kind"] == "SinkBinding").ok_or_else(|| text.clone())?;
    ensure(binding["spec"]["sink"]["ref"]["name"] == "default", || format!("{binding:#}"))
}
