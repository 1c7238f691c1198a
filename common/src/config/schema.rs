//! The JSON Schema of a configuration, with the names of the variables as its members.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::parse::CHECKER;

/// The settings of a configuration in the order of the struct: name of the variable, schema of the value.
pub(crate) fn properties<C: JsonSchema>() -> Vec<(String, Map<String, Value>)> {
    let schema = root::<C>();
    let Some(Value::Object(properties)) = schema.get("properties") else { return Vec::new() };
    properties
        .iter()
        .filter_map(|(name, property)| Some((name.to_uppercase(), property.as_object()?.clone())))
        .collect()
}

/// The names of the variables without which the program does not start.
pub(crate) fn required<C: JsonSchema>() -> Vec<String> {
    let schema = root::<C>();
    let Some(Value::Array(required)) = schema.get("required") else { return Vec::new() };
    required.iter().filter_map(Value::as_str).map(str::to_uppercase).collect()
}

/// Whether the value must not be shown.
pub(crate) fn is_secret(property: &Map<String, Value>) -> bool {
    property.get("secret") == Some(&Value::Bool(true))
}

/// The JSON type of the value, `null` aside.
pub(crate) fn json_type(property: &Map<String, Value>) -> Option<&str> {
    match property.get("type") {
        Some(Value::String(one)) => Some(one),
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ => None,
    }
}

/// The schema as `--describe` shows it: keyed by variable, without what only this program needs.
pub(crate) fn describe<C: JsonSchema>() -> Value {
    let mut members = Map::new();
    for (name, mut property) in properties::<C>() {
        if let Some(kind) = json_type(&property).map(str::to_owned) {
            property.insert("type".to_owned(), Value::String(kind));
        }
        property.remove(CHECKER);
        if property.get("default") == Some(&Value::Null) {
            property.remove("default");
        }
        // Rust's integer sizes are no business of the user; the range says what counts.
        if property.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
            property.remove("format");
        }
        members.insert(name, Value::Object(property));
    }
    json!({ "type": "object", "properties": members, "required": required::<C>() })
}

/// Two descriptions as one; the settings of both have different names.
pub(crate) fn merged(mut left: Value, right: Value) -> Value {
    for part in ["properties", "required"] {
        match (left.get_mut(part), right.get(part)) {
            (Some(Value::Object(left)), Some(Value::Object(right))) => left.extend(right.clone()),
            (Some(Value::Array(left)), Some(Value::Array(right))) => left.extend(right.iter().cloned()),
            _ => {}
        }
    }
    left
}

fn root<C: JsonSchema>() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let schema = settings.into_generator().into_root_schema_for::<C>();
    schema.as_object().cloned().unwrap_or_default()
}
