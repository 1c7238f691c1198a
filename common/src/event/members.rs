//! The members of an event's JSON object, read as slices of the message, and what becomes of them.

use std::{borrow::Cow, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{error::Category, value::RawValue};
use smallvec::SmallVec;

use super::{Event, InvalidEvent, is_json_media_type, json::InvalidJson, names, validate};
use crate::Text;

/// Reads one event.
pub(super) fn event(body: &Bytes) -> Result<Event, InvalidJson> {
    read(body, OneEvent(body), "a JSON object")?.into_event(body)
}

/// Reads an array of events.
pub(super) fn batch(body: &Bytes) -> Result<Vec<Event>, InvalidJson> {
    read(body, Batch(body), "a JSON array of objects")?
}

/// One event's members. A broken rule is kept for later, so that malformed JSON is told first and by its place.
#[derive(Default)]
struct Members<'a> {
    attributes: SmallVec<[(Text, &'a str); 12]>,
    data: Option<&'a str>,
    data_base64: Option<&'a str>,
    problem: Option<InvalidEvent>,
}

impl<'a> Members<'a> {
    /// The event, if no rule is broken. `body` is the message that was read.
    fn into_event(self, body: &Bytes) -> Result<Event, InvalidJson> {
        if let Some(problem) = self.problem {
            return Err(problem.into());
        }
        let mut attributes = SmallVec::<[(Text, Text); 12]>::new();
        for (name, raw) in self.attributes {
            match value(body, &name, raw) {
                Ok(Some(value)) => attributes.push((name, value)),
                Ok(None) => {}
                Err(problem) => return Err(InvalidEvent::Value { name, problem }.into()),
            }
        }
        let content_type = attributes.iter().find(|(name, _)| *name == "datacontenttype");
        let untyped = content_type.is_none();
        let is_json = content_type.is_none_or(|(_, value)| is_json_media_type(value));
        let data = match (self.data, self.data_base64.filter(|raw| *raw != "null")) {
            (Some(_), Some(_)) => return Err(InvalidJson::TwoData),
            (None, None) => None,
            (None, Some(raw)) => Some(from_base64(raw)?),
            (Some(raw), None) if is_json => {
                if untyped {
                    // What `data` without a content type means (section 3.1.1), said aloud for the other bindings.
                    attributes.push((names::text("datacontenttype"), Text::from_static("application/json")));
                }
                Some(body.slice_ref(raw.as_bytes()))
            }
            (Some("null"), None) => None,
            (Some(raw), None) if raw.starts_with('"') => Some(match unescape(raw) {
                Some(Cow::Borrowed(text)) => body.slice_ref(text.as_bytes()),
                Some(Cow::Owned(text)) => text.into(),
                None => return Err(InvalidJson::Escape),
            }),
            // JSON under a content type that is not JSON: the text is all there is.
            (Some(raw), None) => Some(body.slice_ref(raw.as_bytes())),
        };
        Ok(Event::from_attributes(attributes, data)?)
    }

    fn add(&mut self, body: &Bytes, name: Cow<'_, str>, raw: &'a str) -> Result<(), InvalidEvent> {
        let twice = match &*name {
            "data" => self.data.replace(raw).is_some(),
            "data_base64" => self.data_base64.replace(raw).is_some(),
            name => self.attributes.iter().any(|(known, _)| *known == name),
        };
        if twice {
            return Err(InvalidEvent::Duplicate(Text::from(&*name)));
        }
        if matches!(&*name, "data" | "data_base64") {
            return Ok(());
        }
        if name != "specversion" {
            validate::name(&name)?;
        }
        if self.attributes.len() > validate::MAX_ATTRIBUTES {
            return Err(InvalidEvent::TooMany);
        }
        let known = names::known(&name).map(|known| Text::from_static(known.attribute));
        let name = known.unwrap_or_else(|| match name {
            Cow::Borrowed(name) => shared(body, name),
            Cow::Owned(name) => name.into(),
        });
        self.attributes.push((name, raw));
        Ok(())
    }
}

/// Reads an object; keys and values are slices of the message it holds.
#[derive(Clone, Copy)]
struct OneEvent<'a>(&'a Bytes);

impl<'a> DeserializeSeed<'a> for OneEvent<'a> {
    type Value = Members<'a>;
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Members<'a>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for OneEvent<'a> {
    type Value = Members<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Members<'a>, M::Error> {
        let mut members = Members::default();
        while let Some(Key(name)) = map.next_key()? {
            if members.problem.is_some() {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let raw: &RawValue = map.next_value()?;
            members.problem = members.add(self.0, name, raw.get()).err();
        }
        Ok(members)
    }
}

/// Reads an array of objects, each made an event before the next is read: a batch never takes much more memory than
/// its events.
struct Batch<'a>(&'a Bytes);

impl<'a> DeserializeSeed<'a> for Batch<'a> {
    type Value = Result<Vec<Event>, InvalidJson>;
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'a> Visitor<'a> for Batch<'a> {
    type Value = Result<Vec<Event>, InvalidJson>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a batch of events")
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut elements: S) -> Result<Self::Value, S::Error> {
        let mut events = Vec::new();
        while let Some(members) = elements.next_element_seed(OneEvent(self.0))? {
            match members.into_event(self.0) {
                Ok(event) => events.push(event),
                Err(problem) => {
                    while elements.next_element::<IgnoredAny>()?.is_some() {}
                    return Ok(Err(InvalidJson::Element { index: events.len(), problem: Box::new(problem) }));
                }
            }
        }
        Ok(Ok(events))
    }
}

/// A key, borrowed unless it has escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

fn read<'a, S: DeserializeSeed<'a>>(
    body: &'a [u8],
    seed: S,
    shape: &'static str,
) -> Result<S::Value, InvalidJson> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = seed.deserialize(&mut deserializer);
    value.and_then(|value| deserializer.end().map(|()| value)).map_err(|error| match error.classify() {
        // The text of these would quote the payload.
        Category::Data | Category::Io => InvalidJson::Shape(shape),
        Category::Syntax | Category::Eof => InvalidJson::Syntax(error.to_string()),
    })
}

/// An attribute's value as text, `None` for null, or what is wrong with it.
fn value(body: &Bytes, name: &str, raw: &str) -> Result<Option<Text>, &'static str> {
    let text_only = matches!(
        name,
        "id" | "source" | "type" | "specversion" | "subject" | "time" | "datacontenttype" | "dataschema"
    );
    match raw.as_bytes().first() {
        Some(b'"') => match unescape(raw) {
            Some(Cow::Borrowed(text)) => Ok(Some(shared(body, text))),
            Some(Cow::Owned(text)) => Ok(Some(text.into())),
            None => Err("holds an escape that stands for no character"),
        },
        Some(b'n') => Ok(None),
        _ if text_only => Err("is not a string"),
        Some(b't') => Ok(Some(Text::from_static("true"))),
        Some(b'f') => Ok(Some(Text::from_static("false"))),
        Some(b'[' | b'{') => Err("is neither a string, a boolean nor an integer"),
        _ => match raw.parse::<i32>() {
            Ok(number) => Ok(Some(number.to_string().into())),
            Err(_) => Err("is a number, but not a 32-bit integer"),
        },
    }
}

/// What a JSON string, known to be well formed, stands for; `None` when it holds a lone surrogate.
fn unescape(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str::<String>(raw).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

fn from_base64(raw: &str) -> Result<Bytes, InvalidJson> {
    let text = unescape(raw).ok_or(InvalidJson::Base64)?;
    Ok(STANDARD.decode(&*text).map_err(|_| InvalidJson::Base64)?.into())
}

/// A slice of the message as text.
fn shared(body: &Bytes, text: &str) -> Text {
    Text::from_utf8(body.slice_ref(text.as_bytes())).unwrap_or_default()
}
