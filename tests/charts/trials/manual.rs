//! The manuals: what stands in them as values is rendered.

use std::fs;

use kit::ensure;
use serde_json::Value;

use crate::{Outcome, Trials, helm};

pub const TRIALS: Trials = &[
    ("the examples of the chart's README", || examples("charts/trestle/README.md", "", 4)),
    ("the examples of the README", || examples("README.md", "### Helm\n", 1)),
    ("the example bridge is wired as it says", wired),
    ("every alert is in the table", alerts),
    ("the defaults in the table are those of values.yaml", defaults),
];

/// The YAML of a Markdown file: of the section that begins so, up to the next of its level, or of all of it.
fn yaml(path: &str, heading: &str) -> Result<Vec<Value>, kit::Failure> {
    let text = fs::read_to_string(helm::root().join(path)).map_err(|error| format!("{path}: {error}"))?;
    let begin = text.find(heading).ok_or_else(|| format!("{path}: no {heading}"))?;
    let section = &text[begin + heading.len()..];
    let next = heading.split_once(' ').and_then(|(level, _)| section.find(&format!("\n{level} ")));
    let section = next.map_or(section, |end| &section[..end]);
    section
        .split("```yaml\n")
        .skip(1)
        .map(|block| helm::values(block.split("```").next().unwrap_or_default()))
        .collect()
}

fn examples(path: &str, heading: &str, count: usize) -> Outcome {
    let found = yaml(path, heading)?;
    ensure(found.len() >= count, || format!("{path}: {} examples", found.len()))?;
    for values in found {
        let rendered = helm::render(&values).map_err(|error| format!("{path}: {values}: {error}"))?;
        rendered.is_valid().map_err(|error| format!("{path}: {values}: {error}"))?;
    }
    Ok(())
}

/// That the addresses written out in a broker's file are Services of the release that the text calls `events`.
fn wired() -> Outcome {
    let values = yaml("charts/trestle/README.md", "")?.swap_remove(0);
    let rendered = helm::render(&values)?;
    let conf = &rendered.object("ConfigMap", "demo-broker-files")?["data"]["broker.conf"];
    let conf = helm::values(conf.as_str().unwrap_or_default())?;
    let triggers = conf["triggers"].as_object().ok_or("no triggers")?;
    ensure(triggers.len() == 2, || format!("{conf:#}"))?;
    for trigger in triggers.values() {
        let url = trigger["target"]["url"].as_str().unwrap_or_default();
        let name = url.strip_prefix("http://events-").ok_or_else(|| url.to_owned())?;
        rendered.object("Service", &format!("demo-{name}"))?;
    }
    let sink = &helm::variable(rendered.container("Deployment", "demo-hooks")?, "K_SINK")["value"];
    ensure(sink == "http://demo-broker.events.svc.cluster.local", || format!("{sink}"))
}

fn alerts() -> Outcome {
    let read =
        |path: &str| fs::read_to_string(helm::chart().join(path)).map_err(|error| format!("{path}: {error}"));
    let (rules, manual) = (helm::values(&read("alerts/trestle.yaml")?)?, read("README.md")?);
    for group in rules["groups"].as_array().into_iter().flatten() {
        for rule in group["rules"].as_array().into_iter().flatten() {
            let name = rule["alert"].as_str().unwrap_or_default();
            ensure(manual.contains(&format!("| `{name}` |")), || format!("{name} is not in the README"))?;
        }
    }
    Ok(())
}

fn defaults() -> Outcome {
    let read =
        |path: &str| fs::read_to_string(helm::chart().join(path)).map_err(|error| format!("{path}: {error}"));
    let schema: Value =
        serde_json::from_str(&read("values.schema.json")?).map_err(|error| error.to_string())?;
    let values = helm::values(&read("values.yaml")?)?;
    same(&schema, &values, "")?;
    same(&schema["properties"]["adapters"]["items"], &values["defaults"], "defaults")
}

/// That values are what the schema says that they are without being given.
fn same(schema: &Value, values: &Value, path: &str) -> Outcome {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let (path, value) = (format!("{path}.{name}"), &values[name]);
        match property.get("default") {
            // What is empty need not be written.
            Some(default) if value.is_null() => {
                let empty = [Value::from(""), serde_json::json!({}), serde_json::json!([]), true.into()];
                ensure(empty.contains(default), || format!("{path} is not in values.yaml"))?;
            }
            Some(_) if path == ".defaults" => {}
            Some(default) => ensure(value == default, || format!("{path}: {value}, in the table {default}"))?,
            None => same(property, value, &path)?,
        }
    }
    Ok(())
}
