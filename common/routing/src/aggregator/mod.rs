//! One event of many that belong together: which do, how many there must be, and what they become.

mod spec;

use bytes::Bytes;
use common::{Event, InvalidEvent, Text, event::json};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{
    context::OWN,
    path::{NotJson, Path},
};

use spec::Count;
pub use spec::{Elements, Problem, Spec};

/// The extension with the number of parts in an aggregate.
pub const COUNT: &str = "aggregatecount";
/// That which says whether these are all.
pub const COMPLETE: &str = "aggregatecomplete";

/// A compiled aggregator: cheap to apply, shareable between threads.
#[derive(Debug, Clone)]
pub struct Aggregator {
    attributes: Vec<String>,
    path: Option<Path>,
    count: Count,
    index: String,
    elements: Elements,
    /// All that aggregates have in common.
    sample: Event,
}

/// Why an event is no part; it is to blame, and another attempt has no other outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// An attribute of the group is missing.
    #[error("the event has no '{0}', and belongs to no group")]
    NoAttribute(String),
    /// Nothing stands at the path.
    #[error("no text, number or truth value stands at the path of the group")]
    NothingAtPath,
    /// Data that must be JSON, and are not.
    #[error(transparent)]
    NotJson(#[from] NotJson),
    /// Data that are neither JSON nor text.
    #[error("the data is neither JSON nor text in UTF-8, and no element of an array of data")]
    NotText,
    /// The number of parts is missing or none.
    #[error("'{0}' is no number of parts from 1 on")]
    BadCount(String),
    /// The place in the order is none.
    #[error("'{0}' is no whole number")]
    BadIndex(String),
}

/// What the parts of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Group(Vec<Text>);

/// By what a part is known in its group: its index, or source and id. Parts with an index stand before those without.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mark {
    /// The index.
    Index(i64),
    /// Source and id.
    Event(Text, Text),
}

/// An event as a part of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The group.
    pub group: Group,
    /// Which of its parts.
    pub mark: Mark,
    /// How many parts the group has.
    pub count: usize,
    /// Source and id.
    pub event: (Text, Text),
    /// The element it becomes, in JSON.
    pub element: Bytes,
}

impl Aggregator {
    /// Reads an event as a part. What it keeps is copied: it holds on to nothing of the request.
    ///
    /// # Errors
    /// When it is none.
    pub fn part(&self, event: &Event) -> Result<Part, Refusal> {
        let mut group = Vec::with_capacity(self.attributes.len() + 1);
        for name in &self.attributes {
            let value = event.get(name).ok_or_else(|| Refusal::NoAttribute(name.clone()))?;
            group.push(Text::from(value));
        }
        if let Some(path) = &self.path {
            group.push(common_value(path, event)?);
        }
        let identity = (Text::from(event.source()), Text::from(event.id()));
        let count = match &self.count {
            Count::Fixed(count) => *count,
            Count::Attribute(name) => {
                let given = event.get(name).and_then(|text| text.trim().parse().ok());
                given.filter(|count| *count > 0).ok_or_else(|| Refusal::BadCount(name.clone()))?
            }
        };
        let mark = match event.get(&self.index) {
            Some(index) => {
                Mark::Index(index.trim().parse().map_err(|_| Refusal::BadIndex(self.index.clone()))?)
            }
            None => Mark::Event(identity.0.clone(), identity.1.clone()),
        };
        let element = self.element(event)?;
        Ok(Part { group: Group(group), mark, count, event: identity, element })
    }

    fn element(&self, event: &Event) -> Result<Bytes, Refusal> {
        if self.elements == Elements::Events {
            return Ok(json::to_vec(event).into());
        }
        let data = event.data().map(|data| &data[..]).unwrap_or_default();
        if data.is_empty() {
            return Ok(Bytes::from_static(b"null"));
        }
        if event.is_json() {
            let value = serde_json::from_slice::<&RawValue>(data).map_err(|_| NotJson)?;
            return Ok(Bytes::copy_from_slice(value.get().as_bytes()));
        }
        let text = std::str::from_utf8(data).map_err(|_| Refusal::NotText)?;
        serde_json::to_vec(text).map(Bytes::from).map_err(|_| Refusal::NotText)
    }

    /// The event that parts of a group become. It puts them in their order, which before is that in which they came.
    ///
    /// Its id is a hash of the group and of which parts these are: the same ones make the same event again.
    ///
    /// # Errors
    /// When there is no room for its attributes.
    pub fn aggregate(
        &self,
        group: &Group,
        parts: &mut [Part],
        is_complete: bool,
    ) -> Result<Event, InvalidEvent> {
        parts.sort_by_key(|part| match part.mark {
            Mark::Index(index) => (0, index),
            Mark::Event(..) => (1, 0),
        });
        let mut event = self.sample.clone();
        event.set("id", id(group, parts.iter().map(|part| &part.mark)).to_string())?;
        for (name, value) in self.attributes.iter().zip(&group.0) {
            let is_given = event.get(name).is_some();
            if (name == "subject" || !OWN.contains(&name.as_str())) && !is_given {
                event.set(name, value.clone())?;
            }
        }
        event.set(COUNT, parts.len().to_string())?;
        event.set(COMPLETE, if is_complete { "true" } else { "false" })?;
        let mut data = Vec::with_capacity(size(parts.iter().map(|part| part.element.len())));
        for part in &*parts {
            data.push(if data.is_empty() { b'[' } else { b',' });
            data.extend_from_slice(&part.element);
        }
        data.push(b']');
        event.replace_data(Some(data.into()));
        Ok(event)
    }
}

/// Bytes of an array of elements of these sizes.
pub fn size(elements: impl Iterator<Item = usize>) -> usize {
    elements.fold(1, |sum, size| sum + size + 1)
}

/// What stands at the path of the group, as text.
fn common_value(path: &Path, event: &Event) -> Result<Text, Refusal> {
    let data = event.data().ok_or(Refusal::NothingAtPath)?;
    let text = std::str::from_utf8(data).map_err(|_| NotJson)?;
    let found = path.find(text)?.ok_or(Refusal::NothingAtPath)?;
    let is_scalar = !found.text().starts_with(['{', '[', 'n']);
    if is_scalar { Ok(Text::from(&*found.string())) } else { Err(Refusal::NothingAtPath) }
}

/// What these parts of a group are known by: a hash, the same in every process and whatever their order.
pub fn id<'a>(group: &Group, marks: impl IntoIterator<Item = &'a Mark>) -> Uuid {
    let mut marks: Vec<&Mark> = marks.into_iter().collect();
    marks.sort_unstable();
    let mut name = Vec::new();
    // Each with its length before it, so that no two lists are the same bytes.
    let mut write = |bytes: &[u8]| {
        name.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        name.extend_from_slice(bytes);
    };
    write(&(group.0.len() as u64).to_le_bytes());
    group.0.iter().for_each(|value| write(value.as_bytes()));
    for mark in marks {
        match mark {
            Mark::Index(index) => {
                // No source is empty.
                write(&[]);
                write(&index.to_le_bytes());
            }
            Mark::Event(source, id) => {
                write(source.as_bytes());
                write(id.as_bytes());
            }
        }
    }
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &name)
}
