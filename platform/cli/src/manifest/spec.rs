//! From `spec` to the environment of an adapter, by the rules its description states.

use std::collections::BTreeMap;

use super::jq;
use super::mistake::{Mistakes, Position, choices};
use super::node::{Node, Value};
use super::object::Object;
use super::reference::{Index, unknown_keys};
use super::routing;
use super::rule;
use super::schema;
use super::secrets::Secrets;
use super::transformation;
use super::xslt;
use crate::bridge::{Cluster, Origin, Secret, Setting};
use crate::catalogue::{Adapter, Kind, Role, Rule, plain};

/// The fields of `spec.adapterOverrides`; only `env` means anything outside Kubernetes.
const OVERRIDES: [&str; 8] =
    ["public", "resources", "tolerations", "nodeSelector", "affinity", "env", "labels", "annotations"];

/// Fields of every broker, of meaning in a cluster alone.
const EXPOSED: [&str; 2] = ["broker.port", "broker.observability"];

/// What reading a spec needs to know of the rest of the manifest.
pub struct Surroundings<'a> {
    pub secrets: &'a Secrets<'a>,
    pub index: &'a Index<'a>,
}

/// The label that names the bridge an object belongs to, and the variable that tells the adapter.
const BRIDGE: (&str, &str) = ("bridges.triggermesh.io/id", "EVENTS_BRIDGE_IDENTIFIER");

/// The variables an object's `spec` means, and what is left of it for a cluster.
pub fn read(
    object: &Object,
    adapter: &Adapter,
    kind: &Kind,
    around: &Surroundings<'_>,
    mistakes: &mut Mistakes,
) -> (BTreeMap<String, Setting>, Cluster) {
    let (environment, spec) = (environment(object, adapter, kind, around, mistakes), object.spec());
    let overrides = spec.get("adapterOverrides").map_or(&[][..], Node::entries).iter();
    let overrides = overrides.filter(|(key, value)| key.text != "env" && value.value != Value::Null);
    let alone =
        kind.fields.iter().filter(|field| field.rule == Rule::Cluster).map(|field| field.path.as_str());
    let exposed = EXPOSED.into_iter().filter(|_| adapter.role == Role::Broker);
    let cluster = Cluster {
        labels: object.metadata("labels"),
        annotations: object.metadata("annotations"),
        overrides: overrides.map(|(key, value)| (key.text.clone(), value.to_json())).collect(),
        fields: alone
            .chain(exposed)
            .filter_map(|path| Some((path.to_owned(), spec.path(path)?.to_json())))
            .collect(),
    };
    (environment, cluster)
}

/// The variables an object's `spec` means.
fn environment(
    object: &Object,
    adapter: &Adapter,
    kind: &Kind,
    around: &Surroundings<'_>,
    mistakes: &mut Mistakes,
) -> BTreeMap<String, Setting> {
    let spec = object.spec();
    if !matches!(spec.value, Value::Map(_)) {
        mistakes.add(spec.at, format!("'spec' must be a mapping, not {}", spec.noun()));
        return BTreeMap::new();
    }
    check_fields(&spec, adapter.role, kind, mistakes);
    if adapter.name == transformation::ADAPTER {
        transformation::check(&spec, mistakes);
    }
    routing::check(&adapter.name, &spec, mistakes);
    jq::check(&adapter.name, &spec, mistakes);
    // Overrides first: on a repeated name what the spec says wins, as it did in the old controller.
    let mut environment = overrides(object, &spec, adapter, around.secrets, mistakes);
    let text = |value: &str| Setting::Text(value.to_owned());
    environment.insert("NAME".to_owned(), text(&object.id.name));
    environment.insert("NAMESPACE".to_owned(), text(&object.id.namespace));
    environment.insert("K_COMPONENT".to_owned(), text(&object.id.kind.to_lowercase()));
    if let Some(bridge) = object.metadata("labels").remove(BRIDGE.0) {
        environment.insert(BRIDGE.1.to_owned(), Setting::Text(bridge));
    }
    environment.extend(kind.constants.iter().map(|(name, value)| (name.clone(), text(value))));
    // Fields with a mistake: they are there all the same and must not be reported as missing too.
    let mut broken = Vec::new();
    for field in kind.fields.iter().filter(|field| field.rule != Rule::Cluster) {
        match spec.path(&field.path) {
            Some(node) => {
                let setting = rule::apply(field, node, &object.id, around.secrets, mistakes);
                if let (Some(setting), Some(known)) = (&setting, adapter.setting(&field.env)) {
                    check_value(known, setting, &field.path, node.at, mistakes);
                }
                match setting {
                    Some(setting) => drop(environment.insert(field.env.clone(), setting)),
                    None => broken.push(field.env.as_str()),
                }
            }
            None => {
                if let Some(default) = &field.default {
                    let value = rule::fill(&plain(default), &object.id);
                    environment.insert(field.env.clone(), Setting::Text(value));
                }
            }
        }
    }
    sink(object, &spec, adapter, around.index, &mut environment, mistakes);
    xslt::check(&adapter.name, &spec, &environment, mistakes);
    if let Some(overrides) = spec.get("ceOverrides") {
        unknown_keys(overrides, "spec.ceOverrides", &["extensions"], mistakes);
        environment.insert("K_CE_OVERRIDES".to_owned(), Setting::Text(overrides.to_json().to_string()));
    }
    // An empty variable counts as absent; a secret can also be given as the path of a file.
    let is_given = |name: &str| match environment.get(name) {
        // One that is not known here is given there.
        Some(setting) => setting.text() != Some(""),
        None => broken.contains(&name) || environment.contains_key(&format!("{name}_FILE")),
    };
    check_required(object, &spec, adapter, kind, is_given, mistakes);
    environment
}

/// `spec.sink`: every source has one, and what hands on all that it takes; a transformation may.
fn sink(
    object: &Object,
    spec: &Node,
    adapter: &Adapter,
    index: &Index<'_>,
    environment: &mut BTreeMap<String, Setting>,
    mistakes: &mut Mistakes,
) {
    let needs_one = adapter.role == Role::Source || adapter.shape == "gateway";
    match spec.get("sink") {
        Some(node) if matches!(adapter.role, Role::Source | Role::Transformation) => {
            if let Some(destination) = index.destination(node, "spec.sink", &object.id.namespace, mistakes) {
                environment.insert("K_SINK".to_owned(), Setting::Address(destination));
            }
        }
        None if needs_one && !environment.contains_key("K_SINK") => {
            let message = format!("{} has no 'spec.sink': where do its events go?", object.id);
            mistakes.add(object.at, message);
        }
        _ => {}
    }
}

/// `spec.adapterOverrides.env`. Whether a value is a secret cannot be told here: all are treated as if they were.
fn overrides(
    object: &Object,
    spec: &Node,
    adapter: &Adapter,
    secrets: &Secrets<'_>,
    mistakes: &mut Mistakes,
) -> BTreeMap<String, Setting> {
    const PATH: &str = "spec.adapterOverrides.env";
    let mut environment = BTreeMap::new();
    let Some(node) = spec.get("adapterOverrides") else { return environment };
    unknown_keys(node, "spec.adapterOverrides", &OVERRIDES, mistakes);
    let Some(list) = node.get("env") else { return environment };
    let Value::List(entries) = &list.value else {
        mistakes.add(list.at, format!("'{PATH}' must be a list of 'name' and 'value'"));
        return environment;
    };
    for entry in entries {
        let Some(name) = entry.get("name").and_then(Node::text).filter(|name| is_variable(name)) else {
            mistakes
                .add(entry.at, format!("'{PATH}' needs 'name' (of a variable) and 'value' or 'valueFrom'"));
            continue;
        };
        let value = match entry.get("valueFrom").or_else(|| entry.get("value")) {
            Some(node) => secrets.resolve(node, PATH, &object.id.namespace, mistakes),
            None => Some(Secret { text: Some(String::new()), origin: Origin::Field }),
        };
        let mut value = value.unwrap_or(Secret { text: None, origin: Origin::Field });
        if let (Some(known), Some(text)) = (adapter.setting(name), &value.text)
            && let Some(fault) = schema::fault(known, text)
        {
            mistakes.add(entry.at, format!("'{name}' {fault}"));
        }
        if value.origin == Origin::Field {
            value.origin = Origin::Override;
        }
        environment.insert(name.to_owned(), Setting::Secret(value));
    }
    environment
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn check_value(
    known: &crate::catalogue::Setting,
    setting: &Setting,
    path: &str,
    at: Position,
    mistakes: &mut Mistakes,
) {
    if let Some(fault) = setting.text().and_then(|text| schema::fault(known, text)) {
        mistakes.add(at, format!("'spec.{path}' {fault}"));
    }
}

/// Reports fields that neither the kind nor every object of its role has.
fn check_fields(spec: &Node, role: Role, kind: &Kind, mistakes: &mut Mistakes) {
    let mut known: Vec<&str> = kind.fields.iter().map(|field| field.path.as_str()).collect();
    known.push("adapterOverrides");
    match role {
        Role::Source => known.extend(["sink", "ceOverrides"]),
        Role::Transformation => known.push("sink"),
        Role::Broker => known.extend(EXPOSED),
        Role::Target => {}
    }
    descend(spec, "", &known, role, mistakes);
}

fn descend(node: &Node, prefix: &str, known: &[&str], role: Role, mistakes: &mut Mistakes) {
    for (key, value) in node.entries() {
        let path = if prefix.is_empty() { key.text.clone() } else { format!("{prefix}.{}", key.text) };
        if known.contains(&path.as_str()) {
            continue;
        }
        let inner = format!("{path}.");
        if known.iter().any(|field| field.starts_with(&inner)) {
            if matches!(value.value, Value::Map(_) | Value::Null) {
                descend(value, &path, known, role, mistakes);
            } else {
                mistakes.add(value.at, format!("'spec.{path}' must be a mapping, not {}", value.noun()));
            }
            continue;
        }
        if role == Role::Target && matches!(path.as_str(), "sink" | "replyTo") {
            let message = "a target's replies go back to the broker that sent the event";
            mistakes.add(key.at, format!("a target has no 'spec.{path}': {message}"));
            continue;
        }
        let known: Vec<String> = known.iter().map(|field| format!("spec.{field}")).collect();
        let path = format!("spec.{path}");
        let hint = choices(&path, known.iter().map(String::as_str));
        mistakes.add(key.at, format!("unknown field '{path}'{hint}"));
    }
}

fn check_required(
    object: &Object,
    spec: &Node,
    adapter: &Adapter,
    kind: &Kind,
    is_given: impl Fn(&str) -> bool,
    mistakes: &mut Mistakes,
) {
    let at = if spec.entries().is_empty() { object.at } else { spec.at };
    for name in adapter.config.required.iter().filter(|name| !is_given(name)) {
        let field = kind.fields.iter().find(|field| &field.env == name);
        let what = field.map_or_else(
            || format!("'{name}' (give it in 'spec.adapterOverrides.env')"),
            |field| format!("'spec.{}'", field.path),
        );
        let setting = adapter.config.properties.get(name);
        let about = setting.map(|setting| setting.description.lines().next().unwrap_or_default());
        let about = about.filter(|text| !text.is_empty()).map(|text| format!(": {text}")).unwrap_or_default();
        mistakes.add(at, format!("{} needs {what}{about}", object.id));
    }
}
