//! The attributes of an event as a document, and back.

use common::{Event, InvalidEvent, Text, event};

use crate::{
    Error, number,
    tree::{Document, Id, Tree},
};

/// Attributes that are no extensions, as they stand in the document. `datacontenttype` can be read, not set.
const CORE: [&str; 7] = ["datacontenttype", "dataschema", "id", "source", "subject", "time", "type"];

/// The member that holds all extensions.
const EXTENSIONS: &str = "Extensions";

/// What an attribute becomes.
pub(crate) type Change = (String, Option<String>);

/// Makes the document of an event's attributes. There is no `specversion` in it.
pub(crate) fn load<'a>(tree: &mut Tree<'a>, event: &'a Event) {
    let mut extensions: Vec<(&str, &str)> = event
        .attributes()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| !CORE.contains(name))
        .collect();
    extensions.sort_unstable();
    let mut members = Vec::with_capacity(CORE.len() + 1);
    if !extensions.is_empty() {
        let extensions =
            extensions.into_iter().map(|(name, value)| (tree.text(name), tree.text(value))).collect();
        // Capital letters sort before small ones.
        members.push((tree.text(EXTENSIONS), tree.object(extensions)));
    }
    for name in CORE {
        if let Some(value) = event.get(name) {
            members.push((tree.text(name), tree.text(value)));
        }
    }
    let root = tree.object(members);
    tree.set_root(Document::Context, root);
}

/// What has changed between an event and its document.
pub(crate) fn changes(tree: &Tree<'_>, event: &Event) -> Result<Vec<Change>, Error> {
    let root =
        tree.root(Document::Context).filter(|root| tree.is_object(*root)).ok_or(Error::NoAttributes)?;
    let mut attributes: Vec<(String, String)> = Vec::new();
    let mut set = |name: String, value: Option<String>| {
        attributes.retain(|(known, _)| *known != name);
        attributes.extend(value.map(|value| (name, value)));
    };
    // The order of the keys decides between spellings: `extensions` comes after `Extensions`, `type` after `Type`.
    for (key, value) in tree.entries(root) {
        if key.eq_ignore_ascii_case(EXTENSIONS) {
            for (name, value) in extensions(tree, value)? {
                set(name, value);
            }
        } else if let Some(name) = CORE.iter().find(|name| key.eq_ignore_ascii_case(name)) {
            set((*name).to_owned(), text(tree, name, value)?);
        }
    }
    Ok(differences(event, attributes))
}

fn differences(event: &Event, attributes: Vec<(String, String)>) -> Vec<Change> {
    let is_kept = |name: &str| attributes.iter().any(|(known, _)| known == name);
    let gone = event.attributes().filter(|(name, _)| !is_kept(name) && **name != "datacontenttype");
    let mut changes: Vec<Change> = gone.map(|(name, _)| (name.to_string(), None)).collect();
    let other = attributes
        .into_iter()
        .filter(|(name, value)| name != "datacontenttype" && event.get(name) != Some(value.as_str()));
    changes.extend(other.map(|(name, value)| (name, Some(value))));
    changes
}

/// The text of a core attribute; `None` takes it away.
fn text(tree: &Tree<'_>, name: &'static str, value: Id) -> Result<Option<String>, Error> {
    if tree.is_null(value) {
        return Ok(None);
    }
    let text = tree.string(value).ok_or_else(|| Error::attribute(name, "is not a string"))?;
    Ok(Some(text.into_owned()).filter(|text| !text.is_empty()))
}

fn extensions(tree: &Tree<'_>, object: Id) -> Result<Vec<Change>, Error> {
    if tree.is_null(object) {
        return Ok(Vec::new());
    }
    if !tree.is_object(object) {
        return Err(Error::attribute(EXTENSIONS, "is not an object"));
    }
    let mut extensions = Vec::new();
    for (key, value) in tree.entries(object) {
        let name = key.to_ascii_lowercase();
        if CORE.contains(&name.as_str()) || !event::is_attribute_name(&name) {
            return Err(Error::attribute(
                &name,
                "is no name of an extension: letters and digits, and no core attribute",
            ));
        }
        let text = extension(tree, value).map_err(|problem| Error::attribute(&name, problem))?;
        extensions.push((name, text));
    }
    Ok(extensions)
}

fn extension(tree: &Tree<'_>, value: Id) -> Result<Option<String>, &'static str> {
    if tree.is_null(value) {
        return Ok(None);
    }
    if let Some(text) = tree.string(value) {
        return Ok(Some(text.into_owned()));
    }
    if let Some(flag) = tree.bool(value) {
        return Ok(Some(flag.to_string()));
    }
    let number = tree
        .number(value)
        .ok_or("is an object or an array: an extension is a text, a number or a boolean")?;
    number::whole(number).map(Some).ok_or("is a number that is too large for an attribute")
}

/// Carries the changes over. A missing `id` or `time` is made anew, as the original's client did.
pub(crate) fn change(event: &mut Event, changes: Vec<Change>) -> Result<(), Error> {
    for (name, value) in changes {
        let set: Result<(), InvalidEvent> = match (name.as_str(), value) {
            (name, Some(value)) => event.set(name, Text::from(value)),
            ("id", None) => event.set("id", event::new_id()),
            ("time", None) => event.set("time", event::now()),
            ("source" | "type", None) => return Err(Error::attribute(&name, "was deleted or emptied")),
            (name, None) => {
                event.remove(name);
                Ok(())
            }
        };
        set.map_err(Error::Attribute)?;
    }
    Ok(())
}
