//! How `trestle send` and `trestle watch` find a bridge that runs and talk to it: a socket for each `trestle up`, in a
//! folder that nobody else can look into. What connects to it is answered at once with the state, and on request with
//! the events that pass. A socket whose bridge was killed refuses, and is removed.

mod client;
mod folder;

use common::Event;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::catalogue::Role;

pub use client::choose;
pub use folder::{Path, socket};

/// What a client asks for, in one line.
pub const WATCH: &str = "watch";

/// A running bridge: the first line on the socket.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct State {
    /// Of `trestle up`.
    pub pid: u32,
    /// Its manifest.
    pub bridge: String,
    pub components: Vec<Listed>,
}

/// One component of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Listed {
    pub label: String,
    pub kind: String,
    pub name: String,
    pub url: String,
    pub role: Role,
    /// Whether it takes events, or at least requests.
    pub takes_events: bool,
}

impl Listed {
    /// Whether a user means it.
    pub fn is_called(&self, name: &str) -> bool {
        self.label == name || self.name == name || format!("{}/{}", self.kind, self.name) == name
    }
}

/// What a watcher hears, one line each.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Line {
    /// From here on nothing is left out.
    Watching,
    Event(Seen),
    /// So many could not be shown: the watcher was too slow.
    Missed(u64),
}

/// An event that a broker has taken.
#[derive(Debug, Deserialize, Serialize)]
pub struct Seen {
    /// The label of the broker.
    pub broker: String,
    /// Where it goes from there.
    pub to: Vec<Route>,
    /// In its JSON form.
    pub event: Box<RawValue>,
}

/// A trigger that wants an event.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Route {
    pub trigger: String,
    /// The label of a component, or an address.
    pub target: String,
}

impl Seen {
    /// The event itself.
    pub fn event(&self) -> Option<Event> {
        common::event::json::from_slice(self.event.get().to_owned().into()).ok()
    }
}
