//! The manifest reader: from the text of a bridge to its components, or every mistake in it at once. It does no I/O.

mod cycle;
mod document;
mod mistake;
mod node;
mod object;
mod reference;
mod rule;
mod schema;
mod secrets;
mod spec;
mod trigger;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub use mistake::{Mistake, nearest};
pub use schema::plain;
pub use trigger::{FIELDS as TRIGGER_FIELDS, GROUP as TRIGGER_GROUP, KIND as TRIGGER};

use crate::bridge::{Bridge, Component, Id};
use crate::catalogue::{Adapter, Catalogue, Kind};
use mistake::{Mistakes, Position, suggestion};
use object::Object;
use reference::Index;

/// The environment of the command, where secrets may be.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads a bridge.
///
/// # Errors
/// Every mistake, in the order of the file.
pub fn read(text: &str, catalogue: &Catalogue, environment: Lookup<'_>) -> Result<Bridge, Vec<Mistake>> {
    let mut mistakes = Mistakes::default();
    let documents = node::documents(text).map_err(|mistake| vec![mistake])?;
    let objects = object::objects(documents, &mut mistakes);
    duplicates(&objects, &mut mistakes);
    let secrets = secrets::Secrets::new(&objects, environment, &mut mistakes);
    let known = known(&objects, catalogue, &mut mistakes);
    let mut index = Index::default();
    for (object, adapter, kind) in &known {
        index.add(object.id.clone(), adapter, kind);
    }
    let around = spec::Surroundings { secrets: &secrets, index: &index };
    let mut components: Vec<(Component, Position)> = known
        .iter()
        .map(|(object, adapter, kind)| {
            let component = Component {
                id: object.id.clone(),
                label: String::new(),
                adapter: adapter.name.clone(),
                role: adapter.role,
                environment: spec::environment(object, adapter, kind, &around, &mut mistakes),
                triggers: Vec::new(),
            };
            (component, object.at)
        })
        .collect();
    for object in objects.iter().filter(|object| is_trigger(object)) {
        let read = trigger::read(object, &index, &mut mistakes);
        if let Some((broker, trigger)) = read
            && let Some((component, _)) = components.iter_mut().find(|(component, _)| component.id == broker)
        {
            component.triggers.push(trigger);
        }
    }
    cycle::check(&components, &mut mistakes);
    if objects.is_empty() {
        mistakes.add(Position::default(), "there are no objects in it");
    } else if components.is_empty() {
        mistakes.add(Position::default(), "there is nothing to run in it: no source, broker or target");
    }
    let mistakes = mistakes.into_sorted();
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let mut components: Vec<Component> = components.into_iter().map(|(component, _)| component).collect();
    label(&mut components);
    Ok(Bridge { components })
}

fn is_trigger(object: &Object) -> bool {
    object.id.kind == trigger::KIND && object.group() == trigger::GROUP
}

/// The objects an adapter stands behind; those of an unknown kind are reported.
fn known<'o, 'c>(
    objects: &'o [Object],
    catalogue: &'c Catalogue,
    mistakes: &mut Mistakes,
) -> Vec<(&'o Object, &'c Adapter, &'c Kind)> {
    let mut known = Vec::new();
    for object in objects {
        if is_trigger(object) || (object.id.kind == "Secret" && object.group().is_empty()) {
            continue;
        }
        let name = object.id.kind.as_str();
        match catalogue.kind(name) {
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
                let hint = suggestion(name, kinds.chain([trigger::KIND, "Secret", "List"])).to_string();
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
