//! The schema of a kind's `spec`: its fields with what the adapter's settings say of them, and those of its role.

use serde_json::{Value, json};

use super::common;
use crate::cli::Failure;
use crate::document::{Description, Field, Kind};

/// The schema. It refuses what the fields do not name.
pub fn schema(description: &Description, kind: &Kind) -> Result<Value, Failure> {
    let mut spec = json!({ "type": "object", "properties": {} });
    for field in &kind.fields {
        place(&mut spec, &field.path, leaf(description, field), is_required(description, kind, field))?;
    }
    match description.role.as_str() {
        "source" => {
            place(&mut spec, "sink", common::destination("Where its events go."), true)?;
            place(&mut spec, "ceOverrides", common::overrides_of_events(), false)?;
        }
        "transformation" => {
            let meaning = "Where what it makes goes; without one it is the answer.";
            place(&mut spec, "sink", common::destination(meaning), false)?;
        }
        "broker" => {
            let port = json!({ "type": "integer", "description": "Port of its Service.", "minimum": 1, "maximum": 65535 });
            place(&mut spec, "broker.port", port, false)?;
            place(&mut spec, "broker.observability", common::anything(), false)?;
        }
        _ => {}
    }
    place(&mut spec, "adapterOverrides", common::overrides_of_adapter(), false)?;
    Ok(spec)
}

/// Whether the adapter does not start without it and nothing else gives it.
fn is_required(description: &Description, kind: &Kind, field: &Field) -> bool {
    let ways = kind.fields.iter().filter(|other| other.env == field.env).count();
    description.config.required.contains(&field.env) && field.default.is_none() && ways == 1
}

/// Puts a schema at a dotted path. Where one path gives two variables, what says more of its value stays.
fn place(spec: &mut Value, path: &str, leaf: Value, is_required: bool) -> Result<(), Failure> {
    let (above, name) = path.rsplit_once('.').unwrap_or(("", path));
    let mut node = spec;
    for step in above.split('.').filter(|step| !step.is_empty()) {
        let properties = node["properties"].as_object_mut().ok_or("a field within a field")?;
        node = properties.entry(step).or_insert_with(|| json!({ "type": "object", "properties": {} }));
    }
    if is_required {
        let mut required: Vec<Value> = node["required"].as_array().cloned().unwrap_or_default();
        required.push(name.into());
        node["required"] = required.into();
    }
    let properties = node["properties"].as_object_mut().ok_or("a field within a field")?;
    let known = properties.entry(name).or_insert_with(|| leaf.clone());
    if known["type"].is_null() {
        *known = leaf;
    }
    Ok(())
}

fn leaf(description: &Description, field: &Field) -> Value {
    let setting =
        description.config.properties.get(&field.env).or(description.frame.properties.get(&field.env));
    let nothing = Value::Null;
    let setting = setting.unwrap_or(&nothing);
    let mut leaf = match field.rule.as_str() {
        "secret" if setting["multiline"] == true => common::long_text(),
        "secret" | "file" => common::secret(),
        "join" => json!({ "type": "array", "items": { "type": "string" } }),
        "map" => common::texts(),
        "value" => value(setting),
        // A controller's own, or JSON: what may stand in it, the adapter or the controller says.
        _ => common::anything(),
    };
    let mut meaning: Vec<String> = setting["description"]
        .as_str()
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .into_iter()
        .collect();
    if field.rule == "cluster" {
        meaning.push("Read by a controller alone.".to_owned());
    }
    if let Some(default) = field.default.as_deref().filter(|default| *default != "null") {
        meaning.push(format!("Default `{default}`."));
    }
    if !meaning.is_empty() {
        leaf["description"] = meaning.join(" ").into();
    }
    leaf
}

/// A single value with its type, range and choices.
fn value(setting: &Value) -> Value {
    let mut choices = Vec::new();
    choices_of(setting, &mut choices);
    let types = match &setting["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        one => one.as_str(),
    };
    let mut value = json!({ "type": types.unwrap_or("string") });
    for limit in ["minimum", "maximum"] {
        if let Some(limits) = setting.get(limit) {
            value[limit] = limits.clone();
        }
    }
    if !choices.is_empty() {
        value["enum"] = choices.into();
    }
    value
}

/// The texts that a setting can have, if there are only some.
fn choices_of(setting: &Value, choices: &mut Vec<Value>) {
    choices
        .extend(setting["enum"].as_array().into_iter().flatten().filter(|choice| !choice.is_null()).cloned());
    choices.extend(setting.get("const").cloned());
    for several in ["oneOf", "anyOf"] {
        setting[several].as_array().into_iter().flatten().for_each(|one| choices_of(one, choices));
    }
}
