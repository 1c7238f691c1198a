//! The walk over schema and environment that names every missing and every bad variable.

use schemars::JsonSchema;
use serde_json::{Map, Value};

use super::{ConfigError, Environment, parse, schema};

/// All missing and bad variables. What the walk cannot see falls back to `envy`'s own message.
pub(super) fn explain<C: JsonSchema>(environment: &Environment, error: &envy::Error) -> ConfigError {
    let mut problems = walk::<C>(environment);
    if problems.is_empty() {
        // envy's text may hold a value; the kind of failure is all that is safe to repeat.
        problems.push(match error {
            envy::Error::MissingValue(name) => format!("{} is missing", name.to_uppercase()),
            envy::Error::Custom(_) => "a variable has a value of the wrong form".to_owned(),
        });
    }
    ConfigError { problems }
}

/// All missing and bad variables by the schema, ranges included, which `envy` does not look at.
pub(super) fn walk<C: JsonSchema>(environment: &Environment) -> Vec<String> {
    let required = schema::required::<C>();
    let mut problems = Vec::new();
    for (name, property) in schema::properties::<C>() {
        match environment.get(&name) {
            None if required.contains(&name) => problems.push(missing(&name, &property)),
            None => {}
            Some(value) => {
                if let Err(problem) = check(&property, value) {
                    problems.push(format!("{name} {problem}"));
                }
            }
        }
    }
    problems
}

fn missing(name: &str, property: &Map<String, Value>) -> String {
    let meaning = property.get("description").and_then(Value::as_str).and_then(|text| text.lines().next());
    match meaning {
        Some(meaning) => format!("{name} is missing: {meaning}"),
        None => format!("{name} is missing"),
    }
}

/// Checks one value by its schema; the message is the end of a sentence and never holds the value.
fn check(property: &Map<String, Value>, value: &str) -> Result<(), String> {
    if let Some(Value::String(checker)) = property.get(parse::CHECKER) {
        return parse::check(checker, value);
    }
    let choices = choices(property);
    if !choices.is_empty() {
        let found = choices.iter().any(|choice| choice == value);
        return if found { Ok(()) } else { Err(format!("must be one of {}", choices.join(", "))) };
    }
    match schema::json_type(property) {
        Some("integer") => number(property, value.parse::<i128>().ok().map(|n| n as f64), "a whole number"),
        Some("number") => number(property, value.parse::<f64>().ok(), "a number"),
        Some("boolean") if value.parse::<bool>().is_err() => Err("must be true or false".to_owned()),
        _ => Ok(()),
    }
}

/// The values of an enumeration, written as `enum` or, where variants carry documentation, as `oneOf` of `const`.
fn choices(property: &Map<String, Value>) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(Value::Array(values)) = property.get("enum") {
        return values.iter().filter_map(text).collect();
    }
    let alternatives = property.get("oneOf").or_else(|| property.get("anyOf")).and_then(Value::as_array);
    alternatives
        .into_iter()
        .flatten()
        .flat_map(|alternative| match (alternative.get("const"), alternative.get("enum")) {
            (Some(value), _) => text(value).into_iter().collect::<Vec<_>>(),
            (None, Some(Value::Array(values))) => values.iter().filter_map(text).collect(),
            _ => alternative.as_object().map(choices).unwrap_or_default(),
        })
        .collect()
}

fn number(property: &Map<String, Value>, number: Option<f64>, expected: &str) -> Result<(), String> {
    let bound = |name: &str| property.get(name).and_then(Value::as_f64);
    let (low, high) = (bound("minimum"), bound("maximum"));
    let fits = number.is_some_and(|n| low.is_none_or(|low| n >= low) && high.is_none_or(|high| n <= high));
    match (fits, low, high) {
        (true, _, _) => Ok(()),
        (false, Some(low), Some(high)) => Err(format!("must be {expected} from {low} to {high}")),
        (false, Some(low), None) => Err(format!("must be {expected} of at least {low}")),
        (false, None, Some(high)) => Err(format!("must be {expected} of at most {high}")),
        (false, None, None) => Err(format!("must be {expected}")),
    }
}
