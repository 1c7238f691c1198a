//! What `--describe` prints, as far as the generated files need it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// An adapter's description.
#[derive(Deserialize)]
pub struct Description {
    /// Folder, crate, binary and image.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// Source, target, broker or transformation.
    pub role: String,
    /// Which trait of the frame it implements.
    pub shape: String,
    /// How many of it may run: any number, as many as there are partitions, or one.
    pub scaling: String,
    /// The names of the old images.
    pub images: Vec<String>,
    /// Types of the events it sends; with `*` or `{VARIABLE}` where that depends.
    #[serde(default)]
    pub emits: Vec<String>,
    /// Types of the events it takes.
    #[serde(default)]
    pub accepts: Vec<String>,
    /// The Kubernetes kinds it runs.
    pub kinds: Vec<Kind>,
    /// Its own settings.
    pub config: Settings,
    /// The settings every adapter has.
    pub frame: Settings,
}

impl Description {
    /// Whether others can send to it: sources that pull or tick serve nothing but their health.
    pub fn takes_events(&self) -> bool {
        !matches!(self.shape.as_str(), "source" | "poll-source" | "queue-source" | "log-source")
    }
}

/// A Kubernetes kind.
#[derive(Deserialize)]
pub struct Kind {
    /// The API group.
    pub group: String,
    /// The API version.
    pub version: String,
    /// The kind.
    pub kind: String,
    /// Variables it always sets.
    pub constants: BTreeMap<String, String>,
    /// How its `spec` becomes variables.
    pub fields: Vec<Field>,
}

/// A field of a `spec`.
#[derive(Deserialize)]
pub struct Field {
    /// Where the value stands, with dots.
    pub path: String,
    /// The variable it becomes.
    pub env: String,
    /// How.
    pub rule: String,
    /// What joins a list.
    pub separator: Option<String>,
    /// The value where the path is absent.
    pub default: Option<String>,
}

/// A JSON Schema keyed by variable.
#[derive(Deserialize)]
pub struct Settings {
    /// The variables.
    pub properties: BTreeMap<String, Value>,
    /// Those without which it does not start.
    #[serde(default)]
    pub required: Vec<String>,
}
