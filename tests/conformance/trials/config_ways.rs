//! C: the other ways to say it, and what it says of itself.

use std::path::Path;
use std::sync::Arc;

use kit::{Failure, Harness, Process, World, ensure};
use serde_json::Value;

use crate::config::names_all;
use crate::describe::{all_variables, ask, variables};

/// C4.
pub fn describes_itself(harness: &Arc<Harness>) -> Result<(), Failure> {
    let help = ask(harness, "--help")?;
    let version = ask(harness, "--version")?;
    ensure(version.contains(env!("CARGO_PKG_VERSION")), || format!("--version: {version}"))?;
    let text = ask(harness, "--describe")?;
    let description: Value = serde_json::from_str(&text).map_err(|error| format!("--describe: {error}"))?;
    ensure(description["name"] == harness.name(), || format!("name: {}", description["name"]))?;
    for member in ["summary", "role", "shape", "scaling"] {
        ensure(description[member].as_str().is_some_and(|value| !value.is_empty()), || {
            format!("no {member}")
        })?;
    }
    for member in ["images", "emits", "accepts", "kinds"] {
        ensure(description[member].is_array(), || format!("no list {member}"))?;
    }
    for part in ["config", "frame"] {
        ensure(description[part]["type"] == "object", || format!("{part} is no schema of an object"))?;
        for variable in variables(&description, part) {
            let described =
                variable.schema["description"].as_str().is_some_and(|text| !text.trim().is_empty());
            ensure(described, || format!("{} has no description", variable.name))?;
            ensure(part == "frame" || help.contains(&variable.name), || {
                format!("{} not in --help", variable.name)
            })?;
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../adapters")
        .join(harness.name())
        .join("describe.json");
    let committed = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    ensure(committed == text, || {
        "describe.json is not what --describe prints: run cargo xtask gen".to_owned()
    })
}

/// C6.
pub fn secrets_from_files(harness: &Arc<Harness>) -> Result<(), Failure> {
    let variables = all_variables(harness)?;
    let secrets: Vec<_> =
        variables.iter().filter(|variable| variable.secret()).map(|variable| variable.name.clone()).collect();
    let into_files = |world: &mut World, environment: &[(String, String)]| -> Result<(), Failure> {
        for (name, value) in environment {
            if secrets.contains(name) {
                let path = world.file(name, &format!("{value}\n"))?;
                world.unset(name).set(&format!("{name}_FILE"), path);
            } else {
                world.set(name, value);
            }
        }
        Ok(())
    };
    // What the adapter cannot do without.
    let mut world = World::new(harness)?;
    let least = world.environment();
    into_files(&mut world, &least)?;
    world.start()?;
    // What it can: with the proof from a file the genuine pass and the forged do not.
    for way in &harness.credentials {
        let mut world = World::new(harness)?;
        into_files(&mut world, way.environment())?;
        let running = world.start()?;
        let answer = running.send(&(way.genuine)(1))?;
        ensure(answer.is_success(), || format!("{}: {}", way.name(), answer.status))?;
        for (name, forged) in &way.forged {
            let answer = running.send(forged)?;
            ensure(matches!(answer.status, 401 | 403), || {
                format!("{}, {name}: {}", way.name(), answer.status)
            })?;
        }
    }
    if secrets.is_empty() {
        return Ok(());
    }
    let mut world = World::new(harness)?;
    let mut names = Vec::new();
    for secret in &secrets {
        let name = format!("{secret}_FILE");
        world.unset(secret).set(&name, "/nonexistent/secret");
        names.push(name);
    }
    names_all(&mut world.launch()?, &names)
}

/// C7: what a controller of 2023 and one of today put into a pod.
pub fn controllers_variables(harness: &Arc<Harness>) -> Result<(), Failure> {
    let logging = r#"{"zap-logger-config":"{\n  \"level\": \"info\",\n  \"development\": false,\n  \"outputPaths\": [\"stdout\"],\n  \"encoding\": \"json\"\n}\n"}"#;
    let metrics = r#"{"Domain":"triggermesh.io","Component":"adapter","PrometheusPort":0,"PrometheusHost":"","ConfigMap":{"metrics.backend-destination":"prometheus"}}"#;
    let election = r#"{"Component":"adapter","Buckets":1,"LeaseDuration":15000000000,"RenewDeadline":10000000000,"RetryPeriod":2000000000}"#;
    let mut world = World::new(harness)?;
    for (name, value) in [
        ("K_LOGGING_CONFIG", logging),
        ("K_METRICS_CONFIG", metrics),
        ("K_TRACING_CONFIG", r#"{"backend":"","debug":"false","sample-rate":"0"}"#),
        ("K_OBSERVABILITY_CONFIG", "{}"),
        ("K_LEADER_ELECTION_CONFIG", election),
        ("K_COMPONENT", "adapter"),
        ("K_RESOURCE_GROUP", "adapters.sources.triggermesh.io"),
        ("K_SINK_TIMEOUT", "30"),
        ("K_KLOG_VERBOSITY", "0"),
        ("K_SERVICE", "adapter"),
        ("K_REVISION", "adapter-00001"),
        ("K_CONFIGURATION", "adapter"),
        ("NAMESPACE", "demo"),
        ("NAME", "sample"),
        ("SYSTEM_NAMESPACE", "knative-eventing"),
        ("METRICS_DOMAIN", "triggermesh.io/sources"),
        ("KUBERNETES_SERVICE_HOST", "10.96.0.1"),
        ("KUBERNETES_PORT", "tcp://10.96.0.1:443"),
        ("HOSTNAME", "adapter-0"),
        ("PATH", "/usr/bin:/bin"),
    ] {
        world.set(name, value);
    }
    if harness.is_source() {
        world.set("K_CE_OVERRIDES", "null");
    }
    world.start().map(drop)
}

/// C9.
pub fn flags(harness: &Arc<Harness>) -> Result<(), Failure> {
    let world = World::new(harness)?;
    let mut arguments = vec!["start".to_owned(), "--disable-ha".to_owned()];
    let known = all_variables(harness)?;
    let mut rest = Vec::new();
    for (name, value) in world.environment() {
        if known.iter().any(|variable| variable.name == name) {
            arguments.push(format!("--{}", name.to_ascii_lowercase().replace('_', "-")));
            arguments.push(value);
        } else {
            rest.push((name, value));
        }
    }
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    Process::start(harness.name(), &arguments, &rest)?.wait_for_status("/readyz", 200).map(drop)
}
