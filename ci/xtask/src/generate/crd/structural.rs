//! What an API server makes of an object under a structural schema, in strict mode
//! (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema>),
//! and whether a schema is one.

use serde_json::Value;

const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";
const INT_OR_STRING: &str = "x-kubernetes-int-or-string";
/// What may stand in a schema here. A word that this file does not know would be checked by nobody.
const WORDS: [&str; 14] = [
    "additionalProperties",
    "anyOf",
    "description",
    "enum",
    "format",
    "items",
    "maximum",
    "minimum",
    "properties",
    "required",
    "type",
    PRESERVE,
    INT_OR_STRING,
    "x-kubernetes-validations",
];

/// Why a schema is none that an API server takes.
pub fn faults_of_schema(schema: &Value, path: &str, faults: &mut Vec<String>) {
    let Some(map) = schema.as_object() else { return faults.push(format!("{path} is no schema")) };
    faults.extend(
        map.keys().filter(|word| !WORDS.contains(&word.as_str())).map(|word| format!("{path}: {word}")),
    );
    if schema["type"].is_null() && schema[PRESERVE] != true && schema[INT_OR_STRING] != true {
        faults.push(format!("{path} has no type"));
    }
    if !schema["properties"].is_null() && !schema["additionalProperties"].is_null() {
        faults.push(format!("{path} has properties and others"));
    }
    let is_array = schema["type"] == "array";
    if is_array == schema["items"].is_null() {
        faults.push(format!("{path}: items are those of lists, and each list has them"));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if schema["properties"][name].is_null() {
            faults.push(format!("{path} requires {name}, which it does not have"));
        }
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        faults_of_schema(inner, &format!("{path}.{name}"), faults);
    }
    for (word, step) in [("items", "[]"), ("additionalProperties", ".*")] {
        if let Some(inner) = schema.get(word) {
            faults_of_schema(inner, &format!("{path}{step}"), faults);
        }
    }
}

/// Why an object is refused; unknown fields as `kubectl` names them.
pub fn faults_of_value(schema: &Value, value: &Value, path: &str, faults: &mut Vec<String>) {
    if schema[INT_OR_STRING] == true {
        if !value.is_string() && !value.is_i64() {
            faults.push(format!("{path}: neither a whole number nor a text"));
        }
        return;
    }
    let is_right = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        _ => true,
    };
    if !is_right {
        return faults.push(format!("{path}: {value} is no {}", schema["type"]));
    }
    if let Some(choices) = schema["enum"].as_array()
        && !choices.contains(value)
    {
        faults.push(format!("{path}: {value} is none of {choices:?}"));
    }
    let number = value.as_f64();
    let beyond = |limit: &str, is_beyond: fn(f64, f64) -> bool| {
        number.zip(schema[limit].as_f64()).is_some_and(|(number, limit)| is_beyond(number, limit))
    };
    if beyond("minimum", |number, limit| number < limit) || beyond("maximum", |number, limit| number > limit)
    {
        faults.push(format!("{path}: {value} is out of range"));
    }
    let has_all = |schema: &Value| {
        schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .all(|name| value.get(name.as_str().unwrap_or_default()).is_some())
    };
    if !has_all(schema) {
        faults.push(format!("{path} lacks one of {}", schema["required"]));
    }
    if let Some(ways) = schema["anyOf"].as_array()
        && !ways.iter().any(has_all)
    {
        faults.push(format!("{path} has none of {ways:?}"));
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let known = schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
        match known {
            Some(known) => faults_of_value(known, inner, &path, faults),
            None if schema[PRESERVE] == true => {}
            None => faults.push(format!("unknown field {path:?}")),
        }
    }
    for (number, inner) in value.as_array().into_iter().flatten().enumerate() {
        if let Some(items) = schema.get("items") {
            faults_of_value(items, inner, &format!("{path}[{number}]"), faults);
        }
    }
}
