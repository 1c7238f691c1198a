//! What the events that are made here have in common, as the field `ceContext` says it: type, source, extensions.

use std::collections::BTreeMap;

use bytes::Bytes;
use common::{Event, InvalidEvent, Text};

/// Names that are no extensions.
pub(crate) const OWN: [&str; 8] =
    ["id", "source", "type", "datacontenttype", "dataschema", "specversion", "subject", "time"];

/// Type, source and extensions of events.
#[derive(Debug, Clone, Copy)]
pub struct CeContext<'a> {
    /// The type.
    pub event_type: &'a str,
    /// The source.
    pub source: &'a str,
    /// The extensions.
    pub extensions: &'a BTreeMap<String, String>,
}

/// Something wrong in them.
#[derive(Debug, Clone, PartialEq)]
pub enum Problem {
    /// The type.
    Type(InvalidEvent),
    /// The source.
    Source(InvalidEvent),
    /// An extension, and why it cannot be.
    Extension(String, String),
}

impl Problem {
    /// The end of the variable's name, and of a sentence about it.
    #[must_use]
    pub fn of_variable(&self) -> (&'static str, String) {
        match self {
            Self::Type(error) => ("CE_TYPE", format!("is no type of an event: {error}")),
            Self::Source(error) => ("CE_SOURCE", format!("is no source of an event: {error}")),
            Self::Extension(name, why) => ("CE_EXTENSIONS", format!("cannot set '{name}': {why}")),
        }
    }

    /// The field of the `spec`, and what is wrong with it.
    #[must_use]
    pub fn of_field(&self) -> (String, String) {
        match self {
            Self::Type(error) => ("ceContext.type".to_owned(), error.to_string()),
            Self::Source(error) => ("ceContext.source".to_owned(), error.to_string()),
            Self::Extension(name, why) => (format!("ceContext.extensions.{name}"), why.clone()),
        }
    }
}

impl CeContext<'_> {
    /// An event without its id and its data; names of extensions are in lower case, as the original sent them. Those in
    /// `taken` are set by whoever makes the events.
    pub(crate) fn sample(&self, taken: &[&str]) -> Result<Event, Vec<Problem>> {
        let mut problems = Vec::new();
        if let Err(error) = Event::new("0", "/", self.event_type) {
            problems.push(Problem::Type(error));
        }
        if let Err(error) = Event::new("0", self.source, "t") {
            problems.push(Problem::Source(error));
        }
        // Extensions are looked at whatever is wrong with the rest.
        let given = Event::new("0", self.source, self.event_type).or_else(|_| Event::new("0", "/", "t"));
        let mut sample = given.map_err(|_| problems.clone())?;
        for (name, value) in self.extensions {
            let lower = name.to_ascii_lowercase();
            if OWN.contains(&lower.as_str()) {
                problems.push(Problem::Extension(name.clone(), "it is no extension".to_owned()));
            } else if taken.contains(&lower.as_str()) {
                problems.push(Problem::Extension(name.clone(), "it is set here by itself".to_owned()));
            } else if let Err(error) = sample.set(&lower, value.as_str()) {
                problems.push(Problem::Extension(name.clone(), error.to_string()));
            }
        }
        // The media type is one.
        let _ = sample.set_data(Text::from_static("application/json"), Bytes::new());
        if problems.is_empty() { Ok(sample) } else { Err(problems) }
    }
}
