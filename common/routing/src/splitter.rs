//! An event for each element of an array in the data of another.

use std::collections::BTreeMap;

use bytes::Bytes;
use common::{Event, InvalidEvent, Text};

use crate::{
    Mistake, Position,
    path::{Found, NotJson, Path},
};

/// A compiled splitter: cheap to apply, shareable between threads.
#[derive(Debug, Clone)]
pub struct Splitter {
    path: Path,
    /// All that the parts have in common.
    sample: Event,
    max_parts: usize,
}

/// Why an event cannot be split; the event is to blame, and another attempt has no other outcome.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is nothing to look into.
    #[error(transparent)]
    NotJson(#[from] NotJson),
    /// Too many elements.
    #[error("the event has {0} parts, more than {1}")]
    TooMany(usize, usize),
    /// An attribute that no event can have.
    #[error("a part would be invalid: {0}")]
    Attribute(InvalidEvent),
}

/// What a splitter is made of.
#[derive(Debug, Clone, Copy)]
pub struct Spec<'a> {
    /// Where the array stands; all of the data where it is empty.
    pub path: &'a str,
    /// The type of the parts.
    pub event_type: &'a str,
    /// The source of the parts.
    pub source: &'a str,
    /// Extensions of the parts.
    pub extensions: &'a BTreeMap<String, String>,
}

/// Something wrong in a specification.
#[derive(Debug, Clone, PartialEq)]
pub enum Problem {
    /// The path.
    Path(Mistake),
    /// The type.
    Type(InvalidEvent),
    /// The source.
    Source(InvalidEvent),
    /// An extension, and why it cannot be.
    Extension(String, String),
}

impl Splitter {
    /// Compiles a specification.
    ///
    /// # Errors
    /// Every mistake.
    pub fn new(spec: &Spec<'_>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let path = spec.path.parse::<Path>().unwrap_or_else(|error| {
            let position = Position::of(spec.path, error.character);
            problems.push(Problem::Path(Mistake::new(position, &error.message)));
            Path::root()
        });
        if let Err(error) = Event::new("0", "/", spec.event_type) {
            problems.push(Problem::Type(error));
        }
        if let Err(error) = Event::new("0", spec.source, "t") {
            problems.push(Problem::Source(error));
        }
        let sample = sample(spec, &mut problems);
        match sample {
            Some(sample) if problems.is_empty() => Ok(Self { path, sample, max_parts: usize::MAX }),
            _ => Err(problems),
        }
    }

    /// The same for events of at most so many parts.
    #[must_use]
    pub fn with_max_parts(mut self, max_parts: usize) -> Self {
        self.max_parts = max_parts;
        self
    }

    /// The parts of an event in their order: none where nothing stands at the path, one for what is no array. Their data
    /// are slices of the event's.
    ///
    /// # Errors
    /// When the data is not JSON, or has too many parts.
    pub fn split(&self, event: &Event) -> Result<Parts<'_>, Error> {
        let data = event.data().cloned().unwrap_or_default();
        let text = std::str::from_utf8(&data).map_err(|_| NotJson)?;
        // Where there is no data there is nothing at any path.
        let found = if data.is_empty() { None } else { self.path.find(text)? };
        let elements = found.map(Found::elements).unwrap_or_default();
        if elements.len() > self.max_parts {
            return Err(Error::TooMany(elements.len(), self.max_parts));
        }
        let elements: Vec<Bytes> = elements
            .iter()
            .map(|element| match element {
                Found::Json(text) => data.slice_ref(text.as_bytes()),
                other => Bytes::from(other.text().into_owned()),
            })
            .collect();
        Ok(Parts { splitter: self, id: event.id().into(), elements: elements.into_iter().enumerate() })
    }
}

/// A part without its id and its data; names of extensions are in lower case, as the original sent them.
fn sample(spec: &Spec<'_>, problems: &mut Vec<Problem>) -> Option<Event> {
    const OWN: [&str; 8] =
        ["id", "source", "type", "datacontenttype", "dataschema", "specversion", "subject", "time"];
    // Extensions are looked at whatever is wrong with the rest.
    let given = Event::new("0", spec.source, spec.event_type);
    let mut sample = given.or_else(|_| Event::new("0", "/", "t")).ok()?;
    for (name, value) in spec.extensions {
        let lower = name.to_ascii_lowercase();
        if OWN.contains(&lower.as_str()) {
            problems.push(Problem::Extension(name.clone(), "it is no extension".to_owned()));
        } else if let Err(error) = sample.set(&lower, value.as_str()) {
            problems.push(Problem::Extension(name.clone(), error.to_string()));
        }
    }
    sample.set_data(Text::from_static("application/json"), Bytes::new()).ok()?;
    Some(sample)
}

/// The parts of an event, made one by one.
#[derive(Debug)]
pub struct Parts<'a> {
    splitter: &'a Splitter,
    id: Text,
    elements: std::iter::Enumerate<std::vec::IntoIter<Bytes>>,
}

impl Iterator for Parts<'_> {
    type Item = Result<Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let (number, data) = self.elements.next()?;
        Some(self.part(number, data).map_err(Error::Attribute))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.elements.size_hint()
    }
}

impl ExactSizeIterator for Parts<'_> {}

impl Parts<'_> {
    fn part(&self, number: usize, data: Bytes) -> Result<Event, InvalidEvent> {
        let mut event = self.splitter.sample.clone();
        event.set("id", format!("{}-{number}", self.id))?;
        event.replace_data(Some(data));
        Ok(event)
    }
}
