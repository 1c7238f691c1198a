//! The schema of the chart's values: what is written by hand, and the settings of each adapter by its kind.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::document::{Description, Settings};

/// Settings that the chart sets, by values of their own.
const OWN: &[&str] = &["K_SINK", "K_CE_OVERRIDES", "CHECKPOINT_DIR"];

/// Values that one adapter has for itself.
const ALONE: &[&str] =
    &["name", "kind", "enabled", "fullnameOverride", "secretRefs", "secretFiles", "files", "envFrom"];

/// The base with the kinds of all adapters.
pub fn of(mut base: Value, descriptions: &[Description]) -> Value {
    let defaults = defaults(&base);
    let names: Vec<&str> = descriptions.iter().map(|one| one.name.as_str()).collect();
    let frame = descriptions.first().map(|one| shared(&one.frame)).unwrap_or_default();
    let own = |one: &Description| settings(&one.config);
    let mut definitions: Map<String, Value> =
        descriptions.iter().map(|one| (one.name.clone(), kind(one, &own(one), &frame))).collect();
    base["properties"]["adapters"]["items"]["allOf"] =
        names.iter().map(|name| chosen(name)).collect::<Vec<_>>().into();
    base["properties"]["adapters"]["items"]["properties"]["kind"]["enum"] = json!(names);
    base["properties"]["defaults"]["properties"] = defaults;
    base["properties"]["defaults"]["properties"]["config"] =
        json!({"type": "object", "additionalProperties": false, "properties": references(&frame)});
    definitions.insert("shared".to_owned(), json!(frame));
    if let Some(known) = base["definitions"].as_object_mut() {
        known.append(&mut definitions);
    }
    base
}

/// What can be said of all adapters at once.
fn defaults(base: &Value) -> Value {
    let mut properties = base["properties"]["adapters"]["items"]["properties"].clone();
    if let Some(properties) = properties.as_object_mut() {
        properties.retain(|name, _| !ALONE.contains(&name.as_str()));
        // Their defaults are those of `values.yaml`.
        properties.values_mut().filter_map(Value::as_object_mut).for_each(|one| drop(one.remove("default")));
    }
    properties
}

fn chosen(name: &str) -> Value {
    json!({
        "if": {"properties": {"kind": {"const": name}}, "required": ["kind"]},
        "then": {"$ref": format!("#/definitions/{name}")},
    })
}

/// What holds of an adapter of this kind.
fn kind(description: &Description, own: &BTreeMap<String, Value>, frame: &BTreeMap<String, Value>) -> Value {
    let mut config = references(frame);
    if let Some(config) = config.as_object_mut() {
        config.extend(own.iter().map(|(name, schema)| (name.clone(), schema.clone())));
    }
    let names: Vec<_> = own.keys().chain(frame.keys()).collect();
    let secrets: Vec<_> = names.iter().filter(|name| names.contains(&&format!("{name}_FILE"))).collect();
    let required: Vec<Value> = description.config.required.iter().map(|name| given(name)).collect();
    let mut schema = json!({
        "description": description.summary,
        "properties": {
            "config": {"additionalProperties": false, "properties": config},
            "secretRefs": {"propertyNames": {"enum": names}},
            "secretFiles": {"propertyNames": {"enum": secrets}},
        },
    });
    if !required.is_empty() {
        schema["allOf"] = required.into();
    }
    if description.scaling == "single" {
        schema["properties"]["replicas"] = json!({"maximum": 1});
    }
    schema
}

/// That a setting is there, by one of the ways there are.
fn given(name: &str) -> Value {
    let file = format!("{name}_FILE");
    let within = |member: &str, name: &str| json!({"properties": {member: {"required": [name]}}, "required": [member]});
    json!({"anyOf": [
        within("config", name), within("config", &file), within("secretRefs", name), within("secretFiles", name),
        {"required": ["envFrom"]},
        {"properties": {"env": {"contains": {"properties": {"name": {"enum": [name, file]}}}}}, "required": ["env"]},
    ]})
}

fn references(frame: &BTreeMap<String, Value>) -> Value {
    let reference = |name: &String| (name.clone(), json!({"$ref": format!("#/definitions/shared/{name}")}));
    frame.keys().map(reference).collect::<Map<_, _>>().into()
}

fn shared(frame: &Settings) -> BTreeMap<String, Value> {
    let mut settings = settings(frame);
    settings.retain(|name, _| !OWN.contains(&name.as_str()));
    settings
}

/// The settings as values of a chart, the files of secrets among them.
fn settings(settings: &Settings) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (name, schema) in &settings.properties {
        if schema["secret"] == true {
            let meaning = format!("Path of a file with {name}, read again when it changes.");
            all.insert(format!("{name}_FILE"), json!({"type": "string", "description": meaning}));
        }
        all.insert(name.clone(), value(schema));
    }
    all
}

/// A setting as a value of a chart: what YAML makes of what people write is taken, too.
fn value(schema: &Value) -> Value {
    let mut choices = Vec::new();
    choices_of(schema, &mut choices);
    let mut value = match (schema["type"].as_str(), schema["format"].as_str()) {
        _ if !choices.is_empty() => json!({"enum": choices}),
        (Some("integer"), _) => json!({"type": ["integer", "string"], "pattern": "^[0-9]+$"}),
        (Some("number"), _) => json!({"type": ["number", "string"], "pattern": "^[0-9.]+$"}),
        (Some("boolean"), _) => json!({"enum": [true, false, "true", "false", "1", "0"]}),
        (_, Some("json")) => json!({"type": ["string", "object", "array"]}),
        (_, Some("uri")) => json!({"type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://"}),
        (_, Some("arn")) => json!({"type": "string", "pattern": "^arn:"}),
        (_, Some("duration")) => {
            json!({"type": "string", "pattern": "^(0|([0-9.]+(ns|us|µs|μs|ms|s|m|h))+|P[0-9DWTHMS.,]+)$"})
        }
        _ => json!({"type": "string"}),
    };
    for kept in ["description", "default", "minimum", "maximum", "examples"] {
        if let Some(known) = schema.get(kept) {
            value[kept] = known.clone();
        }
    }
    value
}

/// The texts that a setting can have, if there are only some.
fn choices_of(schema: &Value, choices: &mut Vec<Value>) {
    choices
        .extend(schema["enum"].as_array().into_iter().flatten().filter(|choice| !choice.is_null()).cloned());
    choices.extend(schema.get("const").cloned());
    for several in ["oneOf", "anyOf"] {
        schema[several].as_array().into_iter().flatten().for_each(|one| choices_of(one, choices));
    }
}

/// The table of the values that are written by hand.
pub fn markdown(base: &Value) -> String {
    let mut text = String::from("| value | meaning | default |\n| --- | --- | --- |\n");
    rows(base, "", &mut text);
    text
}

fn rows(schema: &Value, path: &str, text: &mut String) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let meaning = property["description"].as_str().unwrap_or_default().replace('|', "\\|");
        let default = match &property["default"] {
            Value::Null => String::new(),
            Value::String(default) if default.is_empty() => String::new(),
            Value::String(default) => format!("`{default}`"),
            other => format!("`{other}`"),
        };
        text.push_str(&format!("| `{path}` | {meaning} | {default} |\n").replace("  |", " |"));
        rows(property, &path, text);
        rows(&property["items"], &format!("{path}[]"), text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_yaml_makes_of_a_value_is_taken() {
        let number = value(&json!({"type": "integer", "minimum": 1, "format": "int32"}));
        assert_eq!(number, json!({"type": ["integer", "string"], "pattern": "^[0-9]+$", "minimum": 1}));
        let flag = value(&json!({"type": "boolean", "format": "flag", "default": "false"}));
        assert_eq!(flag["enum"][0], true);
        assert_eq!(value(&json!({"type": "string", "format": "json"}))["type"][1], "object");
    }

    #[test]
    fn choices_are_found_wherever_they_stand() {
        let choice = json!({"anyOf": [{"oneOf": [{"const": "a"}, {"const": "b"}]}, {"type": "null"}]});
        assert_eq!(value(&choice)["enum"], json!(["a", "b"]));
        assert_eq!(value(&json!({"enum": ["x", null], "type": "string"}))["enum"], json!(["x"]));
    }

    #[test]
    fn a_secret_can_stand_in_a_file() {
        let known: Settings =
            serde_json::from_value(json!({"properties": {"KEY": {"type": "string", "secret": true}}}))
                .unwrap();
        assert_eq!(settings(&known).into_keys().collect::<Vec<_>>(), ["KEY", "KEY_FILE"]);
    }
}
