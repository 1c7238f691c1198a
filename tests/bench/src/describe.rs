//! A working environment for any adapter, made from what its `--describe` says.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::cli::Failure;

/// The least environment with which the binary starts: a value for every required variable, of its schema's first
/// example, default, choice or type. Addresses lead to `sink`.
pub fn environment(program: &Path, sink: SocketAddr) -> Result<Vec<(String, String)>, Failure> {
    let output = Command::new(program)
        .arg("--describe")
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    if !output.status.success() {
        return Err(format!("{} --describe: {}", program.display(), output.status).into());
    }
    let description: Value = serde_json::from_slice(&output.stdout)?;
    Ok(required(&description, sink))
}

fn required(description: &Value, sink: SocketAddr) -> Vec<(String, String)> {
    let mut environment = Vec::new();
    if description["role"] == "source" {
        environment.push(("K_SINK".to_owned(), format!("http://{sink}/")));
    }
    // Brokers have a document of which either a file or the text must be given, so neither is required by itself.
    if description["role"] == "broker" {
        environment.push(("BROKER_CONFIG".to_owned(), r#"{"triggers":{}}"#.to_owned()));
    }
    for part in ["config", "frame"] {
        let names = description[part]["required"].as_array().map_or(&[] as &[Value], Vec::as_slice);
        for name in names.iter().filter_map(Value::as_str).filter(|name| *name != "K_SINK") {
            environment.push((name.to_owned(), value(&description[part]["properties"][name], sink)));
        }
    }
    environment
}

fn value(schema: &Value, sink: SocketAddr) -> String {
    if schema["format"] == "uri" {
        return format!("http://{sink}/");
    }
    let given = [&schema["examples"][0], &schema["default"], &schema["enum"][0], &schema["minimum"]];
    if let Some(given) = given.into_iter().find(|value| !value.is_null()) {
        return given.as_str().map_or_else(|| given.to_string(), str::to_owned);
    }
    match schema["type"].as_str() {
        Some("integer" | "number") => "1",
        Some("boolean") => "true",
        _ => "x",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn required_variables_get_a_value_that_fits() {
        let description = serde_json::json!({
            "role": "source",
            "config": {
                "required": ["TYPE", "URL", "COUNT", "MODE"],
                "properties": {
                    "TYPE": {"type": "string", "examples": ["com.example.order"]},
                    "URL": {"type": "string", "format": "uri", "examples": ["https://example.com"]},
                    "COUNT": {"type": "integer"},
                    "MODE": {"type": "string", "enum": ["plain", "coloured"]},
                    "OPTION": {"type": "string"}
                }
            },
            "frame": {"required": ["K_SINK"], "properties": {}}
        });
        let made = required(&description, ([127, 0, 0, 1], 9).into());
        let made: Vec<String> = made.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let expected = [
            "K_SINK=http://127.0.0.1:9/",
            "TYPE=com.example.order",
            "URL=http://127.0.0.1:9/",
            "COUNT=1",
            "MODE=plain",
        ];
        assert_eq!(made, expected);
    }
}
