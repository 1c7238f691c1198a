//! The manifest reader: from the text of a bridge to its components, or every mistake in it at once. It does no I/O.

mod cycle;
mod document;
mod filter;
mod jq;
mod mistake;
mod node;
mod object;
mod reference;
mod routing;
mod rule;
mod schema;
mod secrets;
mod spec;
mod transformation;
mod trigger;
mod xslt;
mod yaml;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

pub use cycle::SYNCHRONIZER;
pub use jq::JQ;
pub use mistake::{Mistake, Mistakes, Position, Severity, nearest, suggestion};
pub use node::{Node, Value};
pub use object::DEFAULT_NAMESPACE;
pub use reference::unknown_keys;
pub use routing::{AGGREGATOR, FILTER, SPLITTER};
pub use transformation::ADAPTER as TRANSFORMATION;
pub use trigger::{FIELDS as TRIGGER_FIELDS, GROUP as TRIGGER_GROUP, KIND as TRIGGER};
pub use xslt::XSLT;
pub use yaml::read as read_yaml;

use crate::bridge::{Bridge, Component, Id};
use crate::catalogue::{Adapter, Catalogue, Kind};
use object::Object;
use reference::Index;

/// The environment of the command, where secrets may be.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What a bridge is for, which decides what it may leave to others.
#[derive(Clone, Copy)]
pub enum Platform<'a> {
    /// This machine, now: secrets that the manifest lacks are in this environment.
    Here(Lookup<'a>),
    /// Compose: secrets will be in the environment of whoever starts it.
    Compose,
    /// Kubernetes: secrets are in it, and Services that the manifest only refers to.
    Kubernetes,
    /// Kubernetes with Knative: so are other objects that take events.
    Knative,
}

/// What a text turned out to be.
pub struct Reading {
    /// When there is no mistake in it.
    pub bridge: Option<Bridge>,
    /// Mistakes and warnings, in the order of the file.
    pub mistakes: Vec<Mistake>,
}

impl Reading {
    /// The bridge and its warnings, or its mistakes, each a line that begins with the name of the file.
    ///
    /// # Errors
    /// When there are mistakes.
    pub fn outcome(self, file: &str) -> Result<(Bridge, String), String> {
        let lines = self.mistakes.iter().map(|mistake| mistake.render(file) + "\n").collect();
        match self.bridge {
            Some(bridge) => Ok((bridge, lines)),
            None => Err(lines),
        }
    }
}

/// Reads a bridge that runs on this machine.
pub fn read(text: &str, catalogue: &Catalogue, environment: Lookup<'_>) -> Reading {
    read_for(Platform::Here(environment), DEFAULT_NAMESPACE, text, catalogue)
}

/// Reads a bridge for a platform; `namespace` is that of objects that name none.
pub fn read_for(platform: Platform<'_>, namespace: &str, text: &str, catalogue: &Catalogue) -> Reading {
    let mut mistakes = Mistakes::default();
    let mut yaml = yaml::read(text, &mut mistakes);
    let objects = object::objects(yaml.documents, namespace, &mut yaml.unread, &mut mistakes);
    duplicates(&objects, &mut mistakes);
    let secrets = secrets::Secrets::new(&objects, platform, &mut mistakes);
    let known = known(&objects, catalogue, &mut yaml.unread, &mut mistakes);
    let mut index = Index::new(yaml.unread, platform);
    for (object, adapter, kind) in &known {
        index.add(object.id.clone(), adapter, kind);
    }
    let around = spec::Surroundings { secrets: &secrets, index: &index };
    let mut components: Vec<(Component, Position)> = known
        .iter()
        .map(|(object, adapter, kind)| {
            let (environment, cluster) = spec::read(object, adapter, kind, &around, &mut mistakes);
            let component = Component {
                id: object.id.clone(),
                label: String::new(),
                adapter: adapter.name.clone(),
                role: adapter.role,
                scaling: adapter.scaling,
                takes_events: adapter.takes_events(),
                environment,
                triggers: Vec::new(),
                cluster,
            };
            (component, object.at)
        })
        .collect();
    let mut losing = Vec::new();
    for object in objects.iter().filter(|object| is_trigger(object)) {
        let read = trigger::read(object, &index, &mut mistakes);
        if let Some((broker, trigger)) = read
            && let Some((component, _)) = components.iter_mut().find(|(component, _)| component.id == broker)
        {
            losing.extend(trigger::may_lose(&trigger, &broker, &index).then_some(object));
            component.triggers.push(trigger);
        }
    }
    cycle::check(&components, &mut mistakes);
    if components.is_empty() && mistakes.count() == 0 {
        let message = if objects.is_empty() {
            "there are no objects in it"
        } else {
            "there is nothing to run in it: no source, broker or target"
        };
        mistakes.add(Position::default(), message);
    }
    let bridge = (mistakes.count() == 0).then(|| {
        secrets.warn_of_unused(&mut mistakes);
        losing.iter().for_each(|object| trigger::warn_of_loss(object, &mut mistakes));
        let mut components: Vec<Component> = components.into_iter().map(|(component, _)| component).collect();
        label(&mut components);
        Bridge { components }
    });
    Reading { bridge, mistakes: mistakes.into_sorted() }
}

fn is_trigger(object: &Object) -> bool {
    object.id.kind == trigger::KIND && object.group() == trigger::GROUP
}

/// The objects an adapter stands behind; those of an unknown kind are reported.
fn known<'o, 'c>(
    objects: &'o [Object],
    catalogue: &'c Catalogue,
    unread: &mut HashSet<String>,
    mistakes: &mut Mistakes,
) -> Vec<(&'o Object, &'c Adapter, &'c Kind)> {
    let mut known = Vec::new();
    for object in objects {
        let holds_texts =
            matches!(object.id.kind.as_str(), "Secret" | "ConfigMap") && object.group().is_empty();
        if is_trigger(object) || holds_texts {
            continue;
        }
        let name = object.id.kind.as_str();
        let found = catalogue.kind(name);
        if found.is_none_or(|(_, kind)| kind.group != object.group()) {
            unread.insert(object.id.name.clone());
        }
        match found {
            Some((adapter, kind)) if kind.group == object.group() => known.push((object, adapter, kind)),
            Some((_, kind)) => {
                let message =
                    format!("{name} has the apiVersion {}, not {}", kind.api_version(), object.api_version);
                mistakes.add(object.at, message);
            }
            None if name == trigger::KIND => {
                let message = format!(
                    "Trigger has the apiVersion {}/v1alpha1, not {}",
                    trigger::GROUP,
                    object.api_version
                );
                mistakes.add(object.at, message);
            }
            None => {
                let kinds = catalogue.kinds().map(|(_, kind)| kind.kind.as_str());
                let hint =
                    suggestion(name, kinds.chain([trigger::KIND, "Secret", "ConfigMap", "List"])).to_string();
                let list = if hint.is_empty() { " ('trestle list' shows all kinds)" } else { "" };
                mistakes.add(object.at, format!("unknown kind '{name}'{hint}{list}"));
            }
        }
    }
    known
}

fn duplicates(objects: &[Object], mistakes: &mut Mistakes) {
    let mut first: HashMap<(&str, &Id), Position> = HashMap::new();
    for object in objects {
        match first.get(&(object.group(), &object.id)) {
            Some(at) => {
                let message = format!("{} is already in line {}", object.id, at.line);
                mistakes.add(object.name_at, message);
            }
            None => drop(first.insert((object.group(), &object.id), object.name_at)),
        }
    }
}

/// Gives every component the shortest name that no other has.
fn label(components: &mut [Component]) {
    let forms: [fn(&Id) -> String; 3] = [
        |id| id.name.clone(),
        |id| format!("{}/{}", id.kind.to_lowercase(), id.name),
        |id| format!("{}/{}/{}", id.namespace, id.kind.to_lowercase(), id.name),
    ];
    for form in forms {
        let mut count: HashMap<String, usize> = HashMap::new();
        components.iter().for_each(|component| *count.entry(form(&component.id)).or_default() += 1);
        for component in components.iter_mut().filter(|component| component.label.is_empty()) {
            let label = form(&component.id);
            if count.get(&label) == Some(&1) {
                component.label = label;
            }
        }
    }
}
