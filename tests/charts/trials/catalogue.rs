//! What adapters there are: their committed descriptions, and the values with all of them.

use std::fs;

use kit::Failure;
use serde_json::Value;

use crate::helm;

/// The description of every adapter.
///
/// # Errors
/// When one cannot be read.
pub fn descriptions() -> Result<Vec<Value>, Failure> {
    let fault = |error: &dyn std::fmt::Display| format!("adapters: {error}");
    let mut found = Vec::new();
    for folder in fs::read_dir(helm::root().join("adapters")).map_err(|error| fault(&error))? {
        let file = folder.map_err(|error| fault(&error))?.path().join("describe.json");
        if let Ok(text) = fs::read(file) {
            found.push(serde_json::from_slice(&text).map_err(|error| fault(&error))?);
        }
    }
    Ok(found)
}

/// The values with every adapter.
///
/// # Errors
/// When they are not there.
pub fn everything() -> Result<Value, Failure> {
    let file = helm::chart().join("ci/every-adapter-values.yaml");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    helm::values(&text)
}

/// The settings of an adapter, its own and those of all.
pub fn settings(description: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let of = |part: &str| description[part]["properties"].as_object().into_iter().flatten();
    of("config").chain(of("frame"))
}
