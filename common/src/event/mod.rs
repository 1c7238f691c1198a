//! The CloudEvent as it travels through every adapter: attributes in order, as text, and the data as bytes.
//!
//! Facts: CloudEvents 1.0.2, sections 3 and 4. The data is never parsed, copied or reformatted on its way through.

pub mod header;
pub mod http;
pub mod json;
mod members;
mod names;
mod sdk;
#[cfg(test)]
mod tests;
mod validate;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::Text;

pub use validate::InvalidEvent;

/// The one `specversion` that is read and written.
pub const SPEC_VERSION: &str = "1.0";

/// A valid CloudEvent 1.0: `id`, `source` and `type` are there and not empty, every attribute name and value is one
/// that the specification allows.
///
/// Two events are equal when they have the same attributes, in whatever order, and the same bytes as data.
#[derive(Clone, Debug)]
pub struct Event {
    /// All context attributes but `specversion`, `datacontenttype` among them, in the order they came.
    attributes: SmallVec<[(Text, Text); 8]>,
    data: Option<Bytes>,
}

impl Event {
    /// A new event without data.
    ///
    /// # Errors
    /// When one of the three is empty or holds characters that the specification forbids (section 3.1).
    pub fn new(
        id: impl Into<Text>,
        source: impl Into<Text>,
        event_type: impl Into<Text>,
    ) -> Result<Self, InvalidEvent> {
        let mut event = Self { attributes: SmallVec::new(), data: None };
        event.set("id", id)?;
        event.set("source", source)?;
        event.set("type", event_type)?;
        Ok(event)
    }

    /// Builds an event from attributes that arrived from outside, in their order, and checks all of them.
    ///
    /// `specversion` must be among them and is not kept; a name that stands twice, a missing required attribute and
    /// a forbidden name or value are errors.
    ///
    /// # Errors
    /// The first rule of the specification that is broken.
    pub fn from_attributes(
        attributes: impl IntoIterator<Item = (Text, Text)>,
        data: Option<Bytes>,
    ) -> Result<Self, InvalidEvent> {
        let mut event = Self { attributes: SmallVec::new(), data };
        let mut version = None;
        for (name, value) in attributes {
            if name == "specversion" {
                if version.replace(value).is_some() {
                    return Err(InvalidEvent::Duplicate(name));
                }
                continue;
            }
            if event.text(&name).is_some() {
                return Err(InvalidEvent::Duplicate(name));
            }
            validate::attribute(&name, &value)?;
            event.push(name, value)?;
        }
        match version {
            None => return Err(InvalidEvent::Missing("specversion")),
            Some(version) if version != SPEC_VERSION => return Err(InvalidEvent::SpecVersion(version)),
            Some(_) => {}
        }
        for required in ["id", "source", "type"] {
            if event.get(required).is_none() {
                return Err(InvalidEvent::Missing(required));
            }
        }
        Ok(event)
    }

    /// The value of an attribute or extension by its lower-case name, `specversion` included.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        if name == "specversion" {
            return Some(SPEC_VERSION);
        }
        self.text(name).map(Text::as_str)
    }

    /// Like [`get`](Self::get), but shared, so that keeping it copies nothing. Not for `specversion`.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&Text> {
        self.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Sets or replaces an attribute or extension.
    ///
    /// # Errors
    /// When the name is not `[a-z0-9]+`, is `data` or `specversion`, the value is one the specification forbids, or
    /// there are too many attributes.
    pub fn set(&mut self, name: &str, value: impl Into<Text>) -> Result<(), InvalidEvent> {
        let value = value.into();
        validate::attribute(name, &value)?;
        match self.attributes.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.push(names::text(name), value)?,
        }
        Ok(())
    }

    /// Adds an attribute that is known to be valid and new.
    fn push(&mut self, name: Text, value: Text) -> Result<(), InvalidEvent> {
        if self.attributes.len() == validate::MAX_ATTRIBUTES {
            return Err(InvalidEvent::TooMany);
        }
        self.attributes.push((name, value));
        Ok(())
    }

    /// Removes an optional attribute or an extension and gives its value back; `id`, `source` and `type` stay.
    pub fn remove(&mut self, name: &str) -> Option<Text> {
        if matches!(name, "id" | "source" | "type") {
            return None;
        }
        let index = self.attributes.iter().position(|(known, _)| *known == name)?;
        Some(self.attributes.remove(index).1)
    }

    /// All context attributes but `specversion`, `datacontenttype` among them, in order.
    pub fn attributes(&self) -> impl Iterator<Item = (&Text, &Text)> {
        self.attributes.iter().map(|(name, value)| (name, value))
    }

    /// `id`: unique for one `source`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.get("id").unwrap_or_default()
    }

    /// `source`: the context in which it happened, a URI reference.
    #[must_use]
    pub fn source(&self) -> &str {
        self.get("source").unwrap_or_default()
    }

    /// `type`: what happened.
    #[must_use]
    pub fn event_type(&self) -> &str {
        self.get("type").unwrap_or_default()
    }

    /// `datacontenttype`, verbatim.
    #[must_use]
    pub fn data_content_type(&self) -> Option<&str> {
        self.get("datacontenttype")
    }

    /// The payload, byte for byte; `None` when the event has none.
    #[must_use]
    pub fn data(&self) -> Option<&Bytes> {
        self.data.as_ref()
    }

    /// Replaces the payload and its content type.
    ///
    /// # Errors
    /// When the content type is empty or not printable.
    pub fn set_data(
        &mut self,
        content_type: impl Into<Text>,
        data: impl Into<Bytes>,
    ) -> Result<(), InvalidEvent> {
        self.set("datacontenttype", content_type)?;
        self.data = Some(data.into());
        Ok(())
    }

    /// Replaces the payload and leaves the content type as it is.
    pub fn replace_data(&mut self, data: Option<Bytes>) {
        self.data = data;
    }

    /// Whether the payload is JSON by its content type (an absent one means JSON: JSON format, section 3.1.1).
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.data_content_type().is_none_or(is_json_media_type)
    }

    /// Bytes that the event takes in memory, near enough for limits: names, values and data.
    #[must_use]
    pub fn size(&self) -> usize {
        let attributes: usize = self.attributes.iter().map(|(name, value)| name.len() + value.len()).sum();
        attributes + self.data.as_ref().map_or(0, Bytes::len)
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.data == other.data
            && self.attributes.len() == other.attributes.len()
            && self.attributes.iter().all(|(name, value)| other.text(name) == Some(value))
    }
}

/// Whether an attribute or extension may have this name: `[a-z0-9]+`, not too long, not reserved.
#[must_use]
pub fn is_attribute_name(name: &str) -> bool {
    validate::name(name).is_ok()
}

/// Whether a media type, parameters aside and in any letter case, is `…/json` or `…+json`.
#[must_use]
pub fn is_json_media_type(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let suffix = essence.split_once('/').map(|(_, subtype)| subtype.rsplit('+').next().unwrap_or_default());
    suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case("json"))
}

/// A fresh random event id (UUID version 4).
#[must_use]
pub fn new_id() -> Text {
    let mut buffer = uuid::Uuid::encode_buffer();
    Text::from(&*uuid::Uuid::new_v4().hyphenated().encode_lower(&mut buffer))
}

/// The present moment as the `time` attribute wants it: RFC 3339 in UTC, microseconds.
#[must_use]
pub fn now() -> Text {
    Text::from(chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
}
