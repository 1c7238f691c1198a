//! Generated parts of Markdown files: tables, and the markers they stand between.

use serde_json::Value;

use crate::cli::Failure;
use crate::document::{Description, Field, Kind, Settings};

/// Puts `body` between `<!-- name -->` and `<!-- /name -->`.
pub fn replace(text: &str, name: &str, body: &str) -> Result<String, Failure> {
    let (open, close) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let missing = || format!("it lacks the lines {open} and {close}");
    let (before, rest) = text.split_once(&open).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&close).ok_or_else(missing)?;
    Ok(format!("{before}{open}\n{body}{close}{after}"))
}

/// The settings of one adapter and the fields of its kinds.
pub fn settings(description: &Description) -> String {
    let mut text = variables(&description.config);
    for kind in &description.kinds {
        text.push_str(&fields(kind));
    }
    text
}

/// A table of variables: first those that are required.
pub fn variables(settings: &Settings) -> String {
    if settings.properties.is_empty() {
        return "None of its own.\n".to_owned();
    }
    let mut text = String::from("| variable | meaning | default | |\n| --- | --- | --- | --- |\n");
    let is_required = |name: &String| settings.required.contains(name);
    let (required, optional): (Vec<_>, Vec<_>) =
        settings.properties.iter().partition(|(name, _)| is_required(name));
    for (name, schema) in required.into_iter().chain(optional) {
        let mut notes = Vec::new();
        if is_required(name) {
            notes.push("required");
        }
        if schema["secret"] == true {
            notes.push("secret");
        }
        let default = shown(&schema["default"]).map(|default| code(&default)).unwrap_or_default();
        text.push_str(&row(&[&code(name), &meaning(schema), &default, &notes.join(", ")]));
    }
    text
}

/// The table of all adapters.
pub fn adapters(descriptions: &[Description]) -> String {
    let mut text = String::from(
        "| adapter | what it does | role | kinds | old images |\n| --- | --- | --- | --- | --- |\n",
    );
    for description in descriptions {
        let name = &description.name;
        let link = format!("[{name}](adapters/{name}/README.md)");
        let kinds: Vec<&str> = description.kinds.iter().map(|kind| kind.kind.as_str()).collect();
        let images: Vec<String> = description.images.iter().map(|image| code(image)).collect();
        let cells =
            [&link, &cell(&description.summary), &description.role, &kinds.join(", "), &images.join(", ")];
        text.push_str(&row(&cells.map(String::as_str)));
    }
    text
}

fn fields(kind: &Kind) -> String {
    let mut text = format!("\nKind `{}` of `{}/{}`:\n\n", kind.kind, kind.group, kind.version);
    for (name, value) in &kind.constants {
        text.push_str(&format!("- always `{name}={value}`\n"));
    }
    if !kind.constants.is_empty() {
        text.push('\n');
    }
    if kind.fields.is_empty() {
        text.push_str("No fields of its own.\n");
        return text;
    }
    text.push_str("| field of `spec` | variable | |\n| --- | --- | --- |\n");
    for field in &kind.fields {
        let variable = if field.env.is_empty() { String::new() } else { code(&field.env) };
        text.push_str(&row(&[&code(&field.path), &variable, &rule(field)]));
    }
    text
}

fn rule(field: &Field) -> String {
    let mut text = match field.rule.as_str() {
        "value" => String::new(),
        "join" => format!("list, joined by {}", code(field.separator.as_deref().unwrap_or(","))),
        "map" => "map, as `key:value,key:value`".to_owned(),
        "json" => "as JSON".to_owned(),
        "file" => "secret, written to a file".to_owned(),
        "cluster" => "read by a cluster's controller alone".to_owned(),
        other => other.to_owned(),
    };
    if let Some(default) = &field.default {
        text.push_str(if text.is_empty() { "" } else { "; " });
        text.push_str(&format!("default {}", code(default)));
    }
    text
}

/// The description, then what the schema says of the value.
fn meaning(schema: &Value) -> String {
    let mut parts = vec![cell(schema["description"].as_str().unwrap_or_default())];
    if let Some(choices) = schema["enum"].as_array() {
        let choices: Vec<String> = choices.iter().filter_map(shown).map(|choice| code(&choice)).collect();
        parts.push(format!("One of {}.", choices.join(", ")));
    }
    match (shown(&schema["minimum"]), shown(&schema["maximum"])) {
        (Some(least), Some(most)) => parts.push(format!("{least} to {most}.")),
        (Some(least), None) => parts.push(format!("At least {least}.")),
        (None, Some(most)) => parts.push(format!("At most {most}.")),
        (None, None) => {}
    }
    let examples = schema["examples"].as_array().map(Vec::as_slice).unwrap_or_default();
    let examples: Vec<String> = examples.iter().filter_map(shown).map(|example| code(&example)).collect();
    if !examples.is_empty() {
        parts.push(format!("Example: {}.", examples.join(", ")));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

/// A scalar as a person writes it; nothing for null and the empty text.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A row of a table.
pub fn row(cells: &[&str]) -> String {
    format!("| {} |\n", cells.join(" | ")).replace("  |", " |")
}

/// Text as code, in a cell too.
pub fn code(text: &str) -> String {
    format!("`{}`", cell(text))
}

/// Text for a cell: one line, its bars escaped.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_stands_between_the_markers_changes() {
        let text = "# a\n<!-- settings -->\nold\n<!-- /settings -->\nend\n";
        let expected = "# a\n<!-- settings -->\nnew\n<!-- /settings -->\nend\n";
        assert_eq!(replace(text, "settings", "new\n").unwrap(), expected);
        assert_eq!(replace(expected, "settings", "new\n").unwrap(), expected);
        assert!(replace("# a\n<!-- settings -->\n", "settings", "").is_err());
    }

    #[test]
    fn required_variables_come_first_and_bars_are_escaped() {
        let settings: Settings = serde_json::from_value(json!({
            "properties": {
                "ALPHA": {"description": "One\n of two | three.", "default": 5, "minimum": 1, "maximum": 9},
                "BETA": {"description": "A key.", "secret": true},
            },
            "required": ["BETA"],
        }))
        .unwrap();
        let expected = "| variable | meaning | default | |\n| --- | --- | --- | --- |\n\
            | `BETA` | A key. | | required, secret |\n\
            | `ALPHA` | One of two \\| three. 1 to 9. | `5` | |\n";
        assert_eq!(variables(&settings), expected);
    }

    #[test]
    fn a_field_says_how_it_becomes_text() {
        let field: Field = serde_json::from_value(json!({
            "path": "names", "env": "NAMES", "rule": "join", "separator": ",", "default": "a"
        }))
        .unwrap();
        assert_eq!(rule(&field), "list, joined by `,`; default `a`");
    }
}
