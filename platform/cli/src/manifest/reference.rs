//! Destinations: `ref`, `uri`, or both, resolved to a component of the bridge.

use std::collections::{HashMap, HashSet};

use broker::document::ids::Ids;
use common::config::{Parse as _, Url};

use super::Platform;
use super::mistake::{Mistakes, choices, suggestion};
use super::node::{Node, Value};
use super::object::group_of;
use crate::bridge::{Destination, Id, Outside};
use crate::catalogue::{Adapter, Kind, Role};

struct Entry {
    group: String,
    role: Role,
    takes_events: bool,
    keeps_events: bool,
    ids: Option<Ids>,
}

/// The components of the bridge that can be pointed at.
pub struct Index<'a> {
    platform: Platform<'a>,
    components: HashMap<Id, Entry>,
    /// Names of objects that are there and have a mistake of their own.
    unread: HashSet<String>,
}

impl<'a> Index<'a> {
    /// An index that knows of objects which could not be read.
    pub fn new(unread: HashSet<String>, platform: Platform<'a>) -> Index<'a> {
        Index { platform, components: HashMap::new(), unread }
    }

    /// Adds a component of a kind.
    pub fn add(&mut self, id: Id, adapter: &Adapter, kind: &Kind) {
        let (group, role) = (kind.group.clone(), adapter.role);
        let (takes_events, keeps_events) = (adapter.takes_events(), adapter.keeps_events());
        let ids = Ids::of(&adapter.name);
        self.components.insert(id, Entry { group, role, takes_events, keeps_events, ids });
    }

    /// The role of a component.
    pub fn role(&self, id: &Id) -> Option<Role> {
        self.components.get(id).map(|entry| entry.role)
    }

    /// Whether a component is a broker whose triggers may begin in the past.
    pub fn keeps_events(&self, id: &Id) -> bool {
        self.components.get(id).is_some_and(|entry| entry.keeps_events)
    }

    /// The ids by which triggers of a broker begin in the past.
    pub fn ids(&self, id: &Id) -> Option<Ids> {
        self.components.get(id)?.ids
    }

    /// A Destination: `ref {apiVersion, kind, name, namespace}`, `uri`, or a `ref` with a path in `uri`.
    pub fn destination(
        &self,
        node: &Node,
        path: &str,
        namespace: &str,
        mistakes: &mut Mistakes,
    ) -> Option<Destination> {
        if !matches!(node.value, Value::Map(_)) {
            mistakes.add(node.at, format!("'{path}' needs 'ref' or 'uri', it is {}", node.noun()));
            return None;
        }
        unknown_keys(node, path, &["ref", "uri", "CACerts", "audience"], mistakes);
        let uri = match node.get("uri").map(|uri| (uri, uri.text())) {
            Some((uri, None)) => {
                mistakes.add(uri.at, format!("'{path}.uri' must be a string, not {}", uri.noun()));
                return None;
            }
            Some((uri, Some(text))) => Some((uri, text)),
            None => None,
        };
        match (node.get("ref"), uri) {
            (Some(reference), uri) => {
                let uri = uri.map_or("", |(_, text)| text);
                let below =
                    if uri.is_empty() || uri.starts_with('/') { uri.into() } else { format!("/{uri}") };
                if let Some((api_version, id)) = self.outside(reference, namespace) {
                    return Some(Destination::Outside(Outside { api_version, id, path: below }));
                }
                let id = self.component(reference, &format!("{path}.ref"), namespace, mistakes)?;
                Some(Destination::Component { id, path: below })
            }
            (None, Some((uri, text))) => match Url::parse(text) {
                Ok(_) => Some(Destination::Url(text.to_owned())),
                Err(why) => {
                    mistakes.add(uri.at, format!("'{path}.uri' {why}"));
                    None
                }
            },
            (None, None) => {
                mistakes.add(node.at, format!("'{path}' needs 'ref' (apiVersion, kind, name) or 'uri'"));
                None
            }
        }
    }

    /// The component a reference names; it has to take events.
    pub fn component(
        &self,
        reference: &Node,
        path: &str,
        namespace: &str,
        mistakes: &mut Mistakes,
    ) -> Option<Id> {
        unknown_keys(reference, path, &["apiVersion", "group", "kind", "name", "namespace"], mistakes);
        let part = |key| reference.get(key).and_then(Node::scalar).filter(|text| !text.is_empty());
        let (Some(kind), Some(name)) = (part("kind"), part("name")) else {
            mistakes.add(reference.at, format!("'{path}' needs 'kind' and 'name'"));
            return None;
        };
        let namespace = part("namespace").unwrap_or_else(|| namespace.to_owned());
        let at = reference.get("name").map_or(reference.at, |name| name.at);
        let id = Id { kind, namespace, name };
        let Some(Entry { group, takes_events, .. }) = self.components.get(&id) else {
            // One mistake is reported once: where it was made.
            if !self.unread.contains(&id.name) {
                mistakes.add(at, format!("'{path}': {}", self.unknown(&id)));
            }
            return None;
        };
        let given = match part("apiVersion") {
            Some(version) => Some(group_of(&version).to_owned()),
            None => part("group"),
        };
        if let Some(given) = given.filter(|given| given != group) {
            let at =
                reference.get("apiVersion").or_else(|| reference.get("group")).map_or(at, |node| node.at);
            mistakes.add(at, format!("'{path}': {} is of the API group {group}, not {given}", id.kind));
            return None;
        }
        if !takes_events {
            mistakes.add(at, format!("'{path}': {id} takes no events"));
            return None;
        }
        Some(id)
    }

    /// The object of the cluster that a reference names, when it can only be there.
    fn outside(&self, reference: &Node, namespace: &str) -> Option<(String, Id)> {
        let part = |key| reference.get(key).and_then(Node::scalar).filter(|text| !text.is_empty());
        let (api_version, kind, name) = (part("apiVersion")?, part("kind")?, part("name")?);
        let id = Id { kind, namespace: part("namespace").unwrap_or_else(|| namespace.to_owned()), name };
        let group = group_of(&api_version);
        let is_service = id.kind == "Service" && matches!(group, "" | "serving.knative.dev");
        let is_possible = match self.platform {
            Platform::Here(_) | Platform::Compose => false,
            Platform::Kubernetes => is_service,
            // Nothing in a cluster acts on our own kinds.
            Platform::Knative => !self.components.contains_key(&id) && !group.ends_with("triggermesh.io"),
        };
        is_possible.then_some((api_version, id))
    }

    fn unknown(&self, id: &Id) -> String {
        let others = |same_kind: bool| {
            let same = move |other: &&Id| (other.kind == id.kind) == same_kind;
            self.components.keys().filter(same)
        };
        if let Some(other) = others(true).find(|other| other.name == id.name) {
            return format!("no {id} in namespace {}; there is one in {}", id.namespace, other.namespace);
        }
        if let Some(other) = others(false).find(|other| other.name == id.name) {
            return format!("no {id} in this file; did you mean {other}?");
        }
        let hint = suggestion(&id.name, others(true).map(|other| other.name.as_str())).to_string();
        if hint.is_empty() && !self.components.keys().any(|other| other.kind == id.kind) {
            return format!("no {id} in this file; for something outside of it give its address as 'uri'");
        }
        format!("no {id} in this file{hint}")
    }
}

/// Reports keys that mean nothing at this place; `path` is empty at the top.
pub fn unknown_keys(node: &Node, path: &str, known: &[&str], mistakes: &mut Mistakes) {
    for (key, _) in node.entries().iter().filter(|(key, _)| !known.contains(&key.text.as_str())) {
        let hint = choices(&key.text, known.iter().copied());
        let dot = if path.is_empty() { "" } else { "." };
        mistakes.add(key.at, format!("unknown field '{path}{dot}{}'{hint}", key.text));
    }
}
