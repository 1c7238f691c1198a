//! The catalogue: what every adapter says of itself (`adapters/<name>/describe.json`), embedded at build time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// All adapters, sorted by name.
pub struct Catalogue {
    pub adapters: Vec<Adapter>,
}

/// One adapter.
#[derive(Deserialize)]
pub struct Adapter {
    /// Folder, crate, binary and image.
    pub name: String,
    pub summary: String,
    pub role: Role,
    /// Its way of working; see `takes_events`.
    #[serde(default)]
    pub shape: String,
    #[serde(default)]
    pub scaling: Scaling,
    /// The names its image had at TriggerMesh.
    #[serde(default)]
    pub images: Vec<String>,
    /// Types of the events it sends; `{VARIABLE}` stands for the value of a variable.
    #[serde(default)]
    pub emits: Vec<String>,
    /// Types of the events it takes; `*` is any.
    #[serde(default)]
    pub accepts: Vec<String>,
    #[serde(default)]
    pub kinds: Vec<Kind>,
    /// Its own variables.
    #[serde(default)]
    pub config: Settings,
    /// The variables every adapter has.
    #[serde(default)]
    pub frame: Settings,
}

impl Adapter {
    /// What is known of a variable.
    pub fn setting(&self, name: &str) -> Option<&Setting> {
        [&self.config, &self.frame].into_iter().find_map(|all| all.properties.get(name))
    }

    /// Whether it is a broker whose events outlive it, so that its triggers may begin in the past.
    pub fn keeps_events(&self) -> bool {
        self.shape == "durable-broker"
    }

    /// Whether others can send to it: sources that pull or tick serve nothing but their health.
    pub fn takes_events(&self) -> bool {
        !matches!(self.shape.as_str(), "source" | "poll-source" | "queue-source" | "log-source")
    }
}

/// Which way events go through an adapter. The order is that of starting.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Target,
    Transformation,
    Broker,
    Source,
}

/// How many replicas of an adapter may run at once.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    #[default]
    Any,
    /// Those above the number of partitions have nothing to do.
    Partitioned,
    /// Two at once would do everything twice.
    Single,
}

/// A Kubernetes kind an adapter implements.
#[derive(Deserialize)]
pub struct Kind {
    pub group: String,
    pub version: String,
    pub kind: String,
    /// Variables that the kind alone decides.
    #[serde(default)]
    pub constants: BTreeMap<String, String>,
    #[serde(default)]
    pub fields: Vec<Field>,
}

impl Kind {
    /// `group/version`, as manifests have it.
    pub fn api_version(&self) -> String {
        format!("{}/{}", self.group, self.version)
    }
}

/// How one field of `spec` becomes a variable.
#[derive(Deserialize)]
pub struct Field {
    /// Dotted, below `spec`.
    pub path: String,
    pub env: String,
    pub rule: Rule,
    /// Used when the field is absent; may hold `{namespace}` and `{name}`.
    pub default: Option<Json>,
    /// Between the items of a `join`.
    pub separator: Option<String>,
}

/// What is done with the field's value.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// A scalar as text.
    Value,
    /// A string, in place or from a Secret.
    Secret,
    /// A list of scalars in one text.
    Join,
    /// `k:v,k:v`, sorted by key.
    Map,
    /// The whole node as compact JSON.
    Json,
    /// A secret's value in a file; the variable has its path.
    File,
    /// Read by a cluster's controller alone: no variable.
    Cluster,
}

/// A set of variables as a JSON Schema has them.
#[derive(Default, Deserialize)]
pub struct Settings {
    #[serde(default)]
    pub properties: BTreeMap<String, Setting>,
    #[serde(default)]
    pub required: Vec<String>,
}

/// One variable.
#[derive(Default, Deserialize)]
pub struct Setting {
    #[serde(default)]
    pub description: String,
    pub default: Option<Json>,
    #[serde(rename = "type")]
    pub types: Option<Json>,
    pub format: Option<String>,
    pub minimum: Option<f64>,
    pub maximum: Option<f64>,
    #[serde(rename = "enum", default)]
    listed: Vec<Json>,
    #[serde(rename = "const")]
    only: Option<Json>,
    /// Each value with a description of its own.
    #[serde(rename = "oneOf", alias = "anyOf", default)]
    described: Vec<Setting>,
    #[serde(default)]
    pub secret: bool,
}

impl Setting {
    /// The JSON type that is not `null`.
    pub fn type_name(&self) -> Option<&str> {
        match self.types.as_ref()? {
            Json::String(name) => Some(name),
            Json::Array(names) => names.iter().filter_map(Json::as_str).find(|name| *name != "null"),
            _ => None,
        }
    }

    /// The values it can have, where there are only some.
    pub fn choices(&self) -> Vec<String> {
        let own = self.listed.iter().chain(&self.only).filter(|choice| !choice.is_null()).map(plain);
        own.chain(self.described.iter().flat_map(Self::choices)).collect()
    }
}

impl Catalogue {
    /// Reads a JSON list of descriptions.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(json: &str) -> serde_json::Result<Catalogue> {
        let mut adapters: Vec<Adapter> = serde_json::from_str(json)?;
        adapters.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Catalogue { adapters })
    }

    /// Every kind with the adapter behind it.
    pub fn kinds(&self) -> impl Iterator<Item = (&Adapter, &Kind)> {
        self.adapters.iter().flat_map(|adapter| adapter.kinds.iter().map(move |kind| (adapter, kind)))
    }

    /// The adapter and the kind of that name.
    pub fn kind(&self, name: &str) -> Option<(&Adapter, &Kind)> {
        self.kinds().find(|(_, kind)| kind.kind == name)
    }
}

/// A JSON scalar as the text of a variable.
pub fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The list of descriptions this command was built with.
pub const EMBEDDED: &str = include_str!(concat!(env!("OUT_DIR"), "/catalogue.json"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_found_in_every_form() {
        for schema in [
            r#"{"enum": ["a", "b", null]}"#,
            r#"{"oneOf": [{"const": "a", "description": "First."}, {"const": "b"}]}"#,
            r#"{"anyOf": [{"enum": ["a"]}, {"oneOf": [{"const": "b"}]}, {"type": "null"}]}"#,
        ] {
            let setting: Setting = serde_json::from_str(schema).unwrap();
            assert_eq!(setting.choices(), ["a", "b"], "{schema}");
        }
        assert!(serde_json::from_str::<Setting>(r#"{"type": "string"}"#).unwrap().choices().is_empty());
    }

    #[test]
    fn the_embedded_catalogue_is_well_formed() {
        let catalogue = Catalogue::parse(EMBEDDED).unwrap();
        for (adapter, kind) in catalogue.kinds() {
            let known = |name: &String| {
                adapter.config.properties.contains_key(name) || adapter.frame.properties.contains_key(name)
            };
            for field in kind.fields.iter().filter(|field| field.rule != Rule::Cluster) {
                assert!(known(&field.env), "{} {}: no variable {}", adapter.name, kind.kind, field.env);
            }
        }
    }
}
