//! A bridge: the components a manifest asks for and how events go between them. No ports and no processes yet.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value as Json, json};

use crate::catalogue::{Role, Scaling};

/// What to run, in the order of the manifest.
#[derive(Debug, Default, PartialEq)]
pub struct Bridge {
    pub components: Vec<Component>,
}

/// The identity of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    pub kind: String,
    pub namespace: String,
    pub name: String,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// One process of the bridge.
#[derive(Debug, PartialEq)]
pub struct Component {
    pub id: Id,
    /// Short and unique in the bridge: what people read.
    pub label: String,
    /// The binary.
    pub adapter: String,
    pub role: Role,
    pub scaling: Scaling,
    /// Whether others can send to it.
    pub takes_events: bool,
    /// What its `spec` means; the addresses of other components are not known yet.
    pub environment: BTreeMap<String, Setting>,
    /// Of a broker.
    pub triggers: Vec<Trigger>,
    /// What its object says to a cluster and not to the process.
    pub cluster: Cluster,
}

impl Component {
    /// The port that the manifest gives it, when it does.
    ///
    /// # Errors
    /// When that is none.
    pub fn fixed_port(&self) -> Result<Option<u16>, String> {
        let Some(setting) = self.environment.get("PORT") else { return Ok(None) };
        let port = setting.text().and_then(|text| text.parse::<u16>().ok()).filter(|port| *port > 0);
        port.map(Some).ok_or_else(|| format!("the PORT of {} is not a port", self.id))
    }

    /// The configuration document of a broker (JSON, which is YAML).
    pub fn document(&self, address: &dyn Fn(&Destination) -> String) -> String {
        let mut map = Map::new();
        for trigger in &self.triggers {
            let mut options = trigger.delivery.clone();
            if let Some(destination) = &trigger.dead_letter {
                options.insert("deadLetterURL".to_owned(), address(destination).into());
            }
            let target = trigger.target.as_ref().map(address);
            let mut entry = json!({
                "filters": trigger.filters,
                "target": { "url": target },
                "deliveryOptions": options,
            });
            if !trigger.bounds.is_null() {
                entry["bounds"] = trigger.bounds.clone();
            }
            map.insert(trigger.name.clone(), entry);
        }
        format!("{:#}\n", json!({ "triggers": map }))
    }
}

/// Of no meaning to a process on this machine.
#[derive(Debug, Default, PartialEq)]
pub struct Cluster {
    /// Of the object.
    pub labels: BTreeMap<String, String>,
    /// Of the object.
    pub annotations: BTreeMap<String, String>,
    /// `spec.adapterOverrides` without its `env`.
    pub overrides: Map<String, Json>,
    /// Fields of `spec` that no variable comes of, by their paths.
    pub fields: BTreeMap<String, Json>,
}

/// The value of one variable.
#[derive(Clone, PartialEq)]
pub enum Setting {
    Text(String),
    Secret(Secret),
    /// The variable gets the path of a private file with it.
    SecretFile(Secret),
    Address(Destination),
}

impl Setting {
    /// The value, as far as it is a text that is known.
    pub fn text(&self) -> Option<&str> {
        match self {
            Setting::Text(text) => Some(text),
            Setting::Secret(secret) => secret.text.as_deref(),
            Setting::SecretFile(_) | Setting::Address(_) => None,
        }
    }
}

/// A value that is never to be shown.
#[derive(Clone, PartialEq)]
pub struct Secret {
    /// None where only the platform that the bridge is for has it.
    pub text: Option<String>,
    pub origin: Origin,
}

/// Where a secret comes from.
#[derive(Clone, PartialEq)]
pub enum Origin {
    /// It stands in the manifest, in a field for secrets.
    Field,
    /// It stands in the manifest as the value of a variable, which may be no secret at all.
    Override,
    /// A key of a Secret.
    Key(SecretKey),
    /// It is JSON, and the values at these pointers are secrets: keys of Secrets, or in the manifest.
    Parts(Vec<(String, Option<SecretKey>)>),
}

/// A key of a Secret in the namespace of who refers to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretKey {
    pub name: String,
    pub key: String,
}

impl SecretKey {
    /// The variable that stands in for it where there are no Secrets: `<NAME>_<KEY>`.
    pub fn variable(&self) -> String {
        let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        format!("{}_{}", self.name, self.key).chars().map(upper).collect()
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Text(text) => write!(f, "{text:?}"),
            Setting::Secret(_) | Setting::SecretFile(_) => f.write_str("(secret)"),
            Setting::Address(destination) => write!(f, "{destination:?}"),
        }
    }
}

/// Where events go.
#[derive(Clone, Debug, PartialEq)]
pub enum Destination {
    Url(String),
    /// A component of the bridge, at a path of it (with its slash, or empty).
    Component {
        id: Id,
        path: String,
    },
    /// An object of the cluster that is not in the manifest; only where the bridge is for a cluster.
    Outside(Outside),
}

/// An object of the cluster, at a path of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outside {
    pub api_version: String,
    pub id: Id,
    pub path: String,
}

/// A broker's rule: which events go where, and what happens when they cannot.
#[derive(Debug, PartialEq)]
pub struct Trigger {
    pub name: String,
    /// As the configuration document of a broker has them.
    pub filters: Json,
    pub target: Option<Destination>,
    /// `retry`, `backoffPolicy`, `backoffDelay` as written.
    pub delivery: Map<String, Json>,
    pub dead_letter: Option<Destination>,
    /// From where, and to where; null for all from now on.
    pub bounds: Json,
}
