//! `--describe` and `--help`: what a binary says about itself, from its constants and the schema of its settings.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::{
    config::{Config, schema},
    frame::FrameConfig,
    info::{Field, Info, Kind, Role, Rule, Scaling},
    trace::TraceConfig,
};

/// The document that `--describe` prints; `cargo xtask gen` keeps it as `describe.json`.
pub(crate) fn document<C: Config>(info: &Info, shape: &str) -> Value {
    json!({
        "name": info.name,
        "summary": info.summary,
        "role": match info.role {
            Role::Source => "source",
            Role::Target => "target",
            Role::Broker => "broker",
            Role::Transformation => "transformation",
        },
        "shape": shape,
        "images": info.images,
        "emits": info.emits,
        "accepts": info.accepts,
        "scaling": match info.scaling {
            Scaling::Any => "any",
            Scaling::Partitioned => "partitioned",
            Scaling::Single => "single",
        },
        "kinds": info.kinds.iter().map(kind).collect::<Vec<_>>(),
        "config": schema::describe::<C>(),
        "frame": schema::merged(schema::describe::<FrameConfig>(), schema::describe::<TraceConfig>()),
    })
}

fn kind(kind: &Kind) -> Value {
    let constants: Map<String, Value> =
        kind.constants.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    json!({
        "group": kind.group,
        "version": kind.version,
        "kind": kind.kind,
        "constants": constants,
        "fields": kind.fields.iter().map(field).collect::<Vec<_>>(),
    })
}

fn field(field: &Field) -> Value {
    let mut members = Map::new();
    members.insert("path".to_owned(), json!(field.path));
    members.insert("env".to_owned(), json!(field.variable));
    let rule = match field.rule {
        Rule::Value => "value",
        Rule::Secret => "secret",
        Rule::Join(separator) => {
            members.insert("separator".to_owned(), json!(separator));
            "join"
        }
        Rule::Map => "map",
        Rule::Json => "json",
        Rule::File => "file",
        Rule::Cluster => "cluster",
    };
    members.insert("rule".to_owned(), json!(rule));
    if let Some(default) = field.default {
        members.insert("default".to_owned(), json!(default));
    }
    Value::Object(members)
}

/// The text of `--help`.
pub(crate) fn help<C: Config>(info: &Info) -> String {
    let mut text = format!(
        "{}\n\nUsage: {} [--setting value]...\n\nEvery setting is an environment variable, and can be given as a flag: \
         FOO_BAR=1 is --foo-bar 1.\nA secret NAME can be given as NAME_FILE, the path of a file that is read again when \
         it changes.\n\n  --describe   what this program is and takes, as JSON\n  --help       this text\n  --version    \
         the version\n\nSettings:\n",
        info.summary, info.name
    );
    settings::<C>(&mut text);
    text.push_str("\nSettings that all adapters share:\n");
    settings::<FrameConfig>(&mut text);
    settings::<TraceConfig>(&mut text);
    text
}

fn settings<C: Config>(text: &mut String) {
    let required = schema::required::<C>();
    let properties = schema::properties::<C>();
    if properties.is_empty() {
        text.push_str("  none\n");
    }
    for (name, property) in properties {
        let note = match property.get("default") {
            _ if required.contains(&name) => " (required)".to_owned(),
            Some(Value::String(default)) if !default.is_empty() => format!(" (default {default})"),
            Some(default @ (Value::Number(_) | Value::Bool(_))) => format!(" (default {default})"),
            _ => String::new(),
        };
        let meaning =
            property.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {name}{note}\n      {meaning}");
    }
}
