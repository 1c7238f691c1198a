//! What the binary says about itself, as the trials use it.

use kit::{Failure, Harness, Process, ensure};
use serde_json::Value;

/// One variable of the schema.
pub struct Variable {
    pub name: String,
    pub schema: Value,
    pub required: bool,
}

impl Variable {
    pub fn secret(&self) -> bool {
        self.schema["secret"] == true
    }

    /// Whether the schema allows this JSON type.
    pub fn is(&self, kind: &str) -> bool {
        match &self.schema["type"] {
            Value::String(only) => only == kind,
            Value::Array(several) => several.iter().any(|one| one == kind),
            _ => false,
        }
    }

    /// A value that this schema cannot take; `None` when any text may be right.
    pub fn wrong_value(&self) -> Option<String> {
        let format = self.schema["format"].as_str().unwrap_or_default();
        let number = self.is("integer") || self.is("number") || self.is("boolean");
        let closed = self.schema["enum"].is_array() || format == "duration";
        match format {
            "uri" | "url" => Some("::no-url".to_owned()),
            _ if number || closed => Some("no-such-value".to_owned()),
            _ => None,
        }
    }
}

/// Runs a binary with arguments and no environment, and gives what it wrote on its standard output.
pub fn ask(harness: &Harness, argument: &str) -> Result<String, Failure> {
    let mut process = Process::bare(harness.name(), &[argument])?;
    let code = process.wait()?;
    ensure(code == 0, || format!("{argument} ends with {code}: {}", process.output()))?;
    Ok(process.stdout())
}

/// The description as JSON.
pub fn description(harness: &Harness) -> Result<Value, Failure> {
    serde_json::from_str(&ask(harness, "--describe")?).map_err(|error| format!("--describe: {error}"))
}

/// The variables of one part of the description: `config`, the adapter's own, or `frame`, the shared ones.
pub fn variables(description: &Value, part: &str) -> Vec<Variable> {
    let none = serde_json::Map::new();
    let properties = description[part]["properties"].as_object().unwrap_or(&none);
    let required = description[part]["required"].as_array().cloned().unwrap_or_default();
    let variable = |(name, schema): (&String, &Value)| Variable {
        name: name.clone(),
        schema: schema.clone(),
        required: required.iter().any(|one| one == name),
    };
    properties.iter().map(variable).collect()
}

/// The adapter's own variables and the shared ones.
pub fn all_variables(harness: &Harness) -> Result<Vec<Variable>, Failure> {
    let description = description(harness)?;
    let mut all = variables(&description, "config");
    all.extend(variables(&description, "frame"));
    Ok(all)
}
