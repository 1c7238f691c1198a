//! A bridge: the components a manifest asks for and how events go between them. No ports and no processes yet.

use std::collections::BTreeMap;
use std::fmt;

use crate::catalogue::Role;

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
    /// Whether others can send to it.
    pub takes_events: bool,
    /// What its `spec` means; the addresses of other components are not known yet.
    pub environment: BTreeMap<String, Setting>,
    /// Of a broker.
    pub triggers: Vec<Trigger>,
}

/// The value of one variable.
#[derive(Clone, PartialEq)]
pub enum Setting {
    Text(String),
    /// Never to be shown.
    Secret(String),
    /// Never to be shown; the variable gets the path of a private file with it.
    SecretFile(String),
    Address(Destination),
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
}

/// A broker's rule: which events go where, and what happens when they cannot.
#[derive(Debug, PartialEq)]
pub struct Trigger {
    pub name: String,
    /// As the configuration document of a broker has them.
    pub filters: serde_json::Value,
    pub target: Option<Destination>,
    /// `retry`, `backoffPolicy`, `backoffDelay` as written.
    pub delivery: serde_json::Map<String, serde_json::Value>,
    pub dead_letter: Option<Destination>,
}
