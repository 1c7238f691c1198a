//! C: what is missing, wrong, empty or secret.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kit::{Failure, Harness, Process, World, ensure};
use serde_json::Value;

use crate::describe::{Variable, all_variables};

/// Asserts the one line of a configuration error and that it names every one of `names`.
pub fn names_all(process: &mut Process, names: &[String]) -> Result<(), Failure> {
    let code = process.wait()?;
    ensure(code == 78, || format!("exit code {code}: {}", process.output()))?;
    let log = process.log();
    let [line] = log.as_slice() else { return Err(format!("not one line:\n{}", process.output())) };
    ensure(line.field("level") == "ERROR", || line.text.clone())?;
    ensure(line.field("message") == "invalid configuration", || line.text.clone())?;
    let problems = line.json["problems"].as_array().ok_or_else(|| format!("no problems in {}", line.text))?;
    for name in names {
        let named = problems.iter().filter_map(Value::as_str).any(|problem| {
            problem.split(|at: char| !at.is_ascii_alphanumeric() && at != '_').any(|word| word == name)
        });
        ensure(named, || format!("{name} is not named in {}", line.text))?;
    }
    Ok(())
}

fn required(harness: &Harness) -> Result<Vec<String>, Failure> {
    let variables = all_variables(harness)?;
    let mut names: Vec<_> =
        variables.into_iter().filter(|variable| variable.required).map(|variable| variable.name).collect();
    if harness.is_source() && !names.iter().any(|name| name == "K_SINK") {
        names.push("K_SINK".to_owned());
    }
    Ok(names)
}

/// C1.
pub fn missing(harness: &Arc<Harness>) -> Result<(), Failure> {
    let names = required(harness)?;
    if names.is_empty() {
        // Then it runs by itself, or what it needs is no variable and it says so.
        let mut process = Process::bare(harness.name(), &[])?;
        return process.wait_for_status("/readyz", 200).map(drop).or_else(|_| names_all(&mut process, &[]));
    }
    let mut fastest = Duration::MAX;
    // The machine may be busy for one run, hardly for five.
    for _ in 0..5 {
        let start = Instant::now();
        let mut process = Process::bare(harness.name(), &[])?;
        names_all(&mut process, &names)?;
        fastest = fastest.min(start.elapsed());
    }
    ensure(fastest < Duration::from_secs(1), || format!("it took {fastest:?}"))
}

/// C2.
pub fn wrong(harness: &Arc<Harness>) -> Result<(), Failure> {
    let mut world = World::new(harness)?;
    let mut names = Vec::new();
    for variable in all_variables(harness)? {
        // Knative takes a time-out that is no number for none.
        let Some(value) = variable.wrong_value().filter(|_| variable.name != "K_SINK_TIMEOUT") else {
            continue;
        };
        world.set(&variable.name, value);
        names.push(variable.name);
    }
    world.set("PORT", "no-such-value");
    names.push("PORT".to_owned());
    names_all(&mut world.launch()?, &names)?;
    // What only the adapter itself can find wrong may be found later, so each stands alone.
    for (name, value) in &harness.wrong {
        let mut world = World::new(harness)?;
        world.set(name, value);
        names_all(&mut world.launch()?, std::slice::from_ref(name))
            .map_err(|error| format!("{name}={value}: {error}"))?;
    }
    Ok(())
}

/// C3.
pub fn secrets_stay_secret(harness: &Arc<Harness>) -> Result<(), Failure> {
    let variables = all_variables(harness)?;
    let secrets: Vec<_> = variables.iter().filter(|variable| variable.secret()).collect();
    let hidden = |index: usize| format!("hidden-{index}-vDtK3q");
    let all_hidden = |text: &str, what: &str| {
        let shown = (0..secrets.len()).find(|&index| text.contains(&hidden(index)));
        ensure(shown.is_none(), || format!("{what} shows a secret: {text}"))
    };
    // Every secret at once; whether that is a valid configuration or not, nothing may show.
    for spoil in [false, true] {
        let mut world = World::new(harness)?;
        world.set("LOG_LEVEL", "debug");
        for (index, secret) in secrets.iter().enumerate() {
            world.set(&secret.name, hidden(index));
        }
        if spoil {
            world.set("PORT", "no-such-value");
            let mut process = world.launch()?;
            process.wait()?;
            all_hidden(&process.output(), "a configuration error")?;
            continue;
        }
        let Ok(running) = world.start_unready() else { continue };
        let _ = running.get("/readyz")?;
        if let Ok(request) = running.acceptable(1) {
            let request = request.header("Authorization", &format!("Bearer {}", hidden(secrets.len())));
            all_hidden(&running.send(&request)?.text(), "an answer")?;
        }
        let mut running = running;
        let metrics = kit::Request::get("/metrics").send(running.process.metrics_address()?);
        all_hidden(&metrics.map_err(|error| error.to_string())?.text(), "the metrics")?;
        running.process.terminate()?;
        running.process.wait()?;
        let output = running.process.output();
        all_hidden(&output, "the log")?;
        ensure(!output.contains(&hidden(secrets.len())), || {
            format!("a client's credential is logged: {output}")
        })?;
    }
    real_secrets_stay_secret(harness, &secrets)
}

/// The values that a harness really works with, while an event passes.
fn real_secrets_stay_secret(harness: &Arc<Harness>, secrets: &[&Variable]) -> Result<(), Failure> {
    for way in &harness.credentials {
        let mut world = World::new(harness)?;
        world.set("LOG_LEVEL", "debug");
        for (name, value) in way.environment() {
            world.set(name, value);
        }
        let mut running = world.start()?;
        running.send(&(way.genuine)(1))?;
        for (_, forged) in &way.forged {
            running.send(forged)?;
        }
        running.process.terminate()?;
        running.process.wait()?;
        let output = running.process.output();
        for secret in secrets {
            let value =
                way.environment().iter().find(|(name, _)| *name == secret.name).map(|(_, value)| value);
            let shown = value.is_some_and(|value| output.contains(value.as_str()));
            ensure(!shown, || format!("{} is logged: {output}", secret.name))?;
        }
    }
    Ok(())
}

/// C5.
pub fn malformed_observability(harness: &Arc<Harness>) -> Result<(), Failure> {
    let observability = [
        "{",
        "{}",
        "null",
        "[]",
        "7",
        r#"{"unknown":1}"#,
        r#"{"tracing":{"protocol":"smoke"}}"#,
        r#"{"metrics":{"protocol":"prometheus"}}"#,
    ];
    let logging = [
        "{",
        "{}",
        "null",
        "[]",
        r#"{"zap-logger-config":7}"#,
        r#"{"zap-logger-config":"{"}"#,
        r#"{"zap-logger-config":"{\"level\":\"no-such-level\"}"}"#,
        r#"{"zap-logger-config":"{\"level\":\"debug\"}"}"#,
    ];
    for (observability, logging) in observability.into_iter().zip(logging) {
        let mut world = World::new(harness)?;
        world.set("K_OBSERVABILITY_CONFIG", observability).set("K_LOGGING_CONFIG", logging);
        world.start().map_err(|error| format!("with {observability} and {logging}: {error}"))?;
    }
    Ok(())
}

/// C8.
pub fn empty_is_absent(harness: &Arc<Harness>) -> Result<(), Failure> {
    let kept = ["HOST", "PORT", "METRICS_PROMETHEUS_PORT"];
    let variables = all_variables(harness)?;
    let mut world = World::new(harness)?;
    let given: Vec<_> = world.environment().into_iter().map(|(name, _)| name).collect();
    for variable in &variables {
        if !kept.contains(&variable.name.as_str()) && !given.contains(&variable.name) {
            world.set(&variable.name, "");
        }
    }
    world.start()?;

    let names = required(harness)?;
    if names.is_empty() {
        return Ok(());
    }
    let mut world = World::new(harness)?;
    for name in &names {
        world.set(name, "");
    }
    names_all(&mut world.launch()?, &names)
}
