//! `trestle describe`: one adapter in full.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use serde_json::Value as Json;

use crate::args::{Format, fail};
use crate::catalogue::{Adapter, Catalogue, EMBEDDED, Kind, Role, Rule, Setting, Settings, plain};
use crate::list::columns;
use crate::manifest::{TRIGGER, TRIGGER_FIELDS, TRIGGER_GROUP, nearest};

/// Prints what the adapter, or the one behind the kind, says of itself.
pub fn run(catalogue: &Catalogue, name: &str, format: Format) -> ExitCode {
    if name.eq_ignore_ascii_case(TRIGGER) {
        let _ = std::io::stdout().lock().write_all(trigger(format).as_bytes());
        return ExitCode::SUCCESS;
    }
    let by_name = catalogue
        .adapters
        .iter()
        .find(|adapter| adapter.name == name || adapter.images.iter().any(|i| i == name));
    let by_kind = || {
        catalogue.kinds().find(|(_, kind)| kind.kind.eq_ignore_ascii_case(name)).map(|(adapter, _)| adapter)
    };
    let Some(adapter) = by_name.or_else(by_kind) else {
        let names = catalogue.adapters.iter().map(|adapter| adapter.name.as_str());
        let kinds = catalogue.kinds().map(|(_, kind)| kind.kind.as_str());
        let hint = match nearest(name, names.chain(kinds).chain([TRIGGER])) {
            Some(near) => format!("did you mean '{near}'?"),
            None => "'trestle list' shows all".to_owned(),
        };
        return fail(&format!("no adapter and no kind '{name}'; {hint}"));
    };
    let text = match format {
        Format::Text => page(adapter),
        Format::Json => json(&adapter.name),
    };
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

/// The description as the adapter itself prints it.
fn json(name: &str) -> String {
    let all: Vec<Json> = serde_json::from_str(EMBEDDED).unwrap_or_default();
    let one = all.iter().find(|entry| entry.get("name").and_then(Json::as_str) == Some(name));
    one.map(|entry| format!("{entry:#}\n")).unwrap_or_default()
}

/// A trigger is no process of its own: its broker reads it.
fn trigger(format: Format) -> String {
    if format == Format::Json {
        let fields: serde_json::Map<String, Json> =
            TRIGGER_FIELDS.iter().map(|(path, meaning)| ((*path).to_owned(), (*meaning).into())).collect();
        let page = serde_json::json!({ "kind": TRIGGER, "group": TRIGGER_GROUP, "version": "v1alpha1", "fields": fields });
        return format!("{page:#}\n");
    }
    let rows = TRIGGER_FIELDS.map(|(path, meaning)| [format!("  {path}"), meaning.to_owned()]);
    format!(
        "{TRIGGER} ({TRIGGER_GROUP}/v1alpha1)\n\nWhich events of a broker go where.\n\n{}",
        columns(&rows)
    )
}

fn page(adapter: &Adapter) -> String {
    let mut page = format!("{}\n\n{}\n\n", adapter.name, adapter.summary);
    let mut fact = |name: &str, values: &[String]| {
        if !values.is_empty() {
            let _ = writeln!(page, "{name:<9}  {}", values.join(", "));
        }
    };
    fact("sends", &adapter.emits);
    fact("takes", &adapter.accepts);
    fact("was", &adapter.images);
    for kind in &adapter.kinds {
        let _ = write!(page, "\n{} ({})\n{}", kind.kind, kind.api_version(), fields(adapter, kind));
    }
    let _ = write!(page, "\nSettings\n{}", settings(&adapter.config));
    let shared: Vec<&str> = adapter.frame.properties.keys().map(String::as_str).collect();
    if !shared.is_empty() {
        let _ = write!(page, "\nSettings every adapter has\n{}", wrap(&shared));
    }
    page
}

fn fields(adapter: &Adapter, kind: &Kind) -> String {
    let mut rows = Vec::new();
    for field in &kind.fields {
        let how = match field.rule {
            Rule::Value => "",
            Rule::Secret => "text, or valueFromSecret {name, key}",
            Rule::Join => "list",
            Rule::Map => "mapping",
            Rule::Json => "any",
            Rule::File => "text, or valueFromSecret {name, key}; given as a file",
            Rule::Cluster => "for a cluster's controller alone",
        };
        let default = field.default.as_ref().map(|default| format!("default {}", plain(default)));
        let notes: Vec<&str> =
            [how].into_iter().chain(default.as_deref()).filter(|note| !note.is_empty()).collect();
        rows.push([format!("  spec.{}", field.path), field.env.clone(), notes.join(", ")]);
    }
    if adapter.role == Role::Transformation {
        let note = "ref {apiVersion, kind, name}, or uri; without it what it makes is its answer";
        rows.push(["  spec.sink".into(), "K_SINK".into(), note.into()]);
    }
    if adapter.role == Role::Source {
        rows.push(["  spec.sink".into(), "K_SINK".into(), "ref {apiVersion, kind, name}, or uri".into()]);
        rows.push(["  spec.ceOverrides".into(), "K_CE_OVERRIDES".into(), "extensions {name: value}".into()]);
    }
    rows.push(["  spec.adapterOverrides.env".into(), "any".into(), "list of {name, value}".into()]);
    columns(&rows)
}

fn settings(settings: &Settings) -> String {
    let mut text = String::new();
    for (name, setting) in &settings.properties {
        let required = settings.required.contains(name);
        let _ = writeln!(text, "  {name}  ({})", facts(setting, required).join(", "));
        for line in setting.description.lines() {
            let _ = writeln!(text, "      {}", line.trim_end());
        }
    }
    if text.is_empty() { "  none of its own\n".to_owned() } else { text }
}

fn facts(setting: &Setting, required: bool) -> Vec<String> {
    let mut facts = vec![setting.type_name().unwrap_or("string").to_owned()];
    let choices = setting.choices();
    if !choices.is_empty() {
        facts.push(format!("one of {}", choices.join(" ")));
    }
    match (setting.minimum, setting.maximum) {
        (Some(minimum), Some(maximum)) => facts.push(format!("{minimum} to {maximum}")),
        (Some(minimum), None) => facts.push(format!("at least {minimum}")),
        (None, Some(maximum)) => facts.push(format!("at most {maximum}")),
        (None, None) => {}
    }
    if setting.secret {
        facts.push("secret".to_owned());
    }
    match &setting.default {
        Some(default) if !setting.secret && !plain(default).is_empty() => {
            facts.push(format!("default {}", plain(default)))
        }
        _ if required => facts.push("required".to_owned()),
        _ => facts.push("optional".to_owned()),
    }
    facts
}

/// Names in lines of readable length.
fn wrap(names: &[&str]) -> String {
    let mut lines = vec![String::from(" ")];
    for name in names {
        if lines.last().is_some_and(|line| line.len() + name.len() > 98) {
            lines.push(String::from(" "));
        }
        if let Some(line) = lines.last_mut() {
            let _ = write!(line, " {name}");
        }
    }
    lines.join("\n") + "\n"
}
