//! JSON and events as values of CEL.

use std::{borrow::Cow, collections::HashMap, fmt};

use cel::{
    ExecutionError,
    common::{
        traits::{Container, Indexer},
        types::{
            CelBool, CelBytes, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt,
            Type,
        },
        value::{CowVal, Val},
    },
};
use common::Event;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::path::Found;

/// A value that may borrow from the event.
pub type Value<'a> = Box<dyn Val + 'a>;

/// The value of a JSON text, borrowed where it can be.
///
/// # Errors
/// When it is no JSON, or deeper than 127 levels: `serde_json`'s limit, which keeps the stack small.
pub fn json<'a>(text: &'a str) -> Result<Value<'a>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Json.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// The value of what was found in a JSON text.
///
/// # Errors
/// As [`json`].
pub fn found<'a>(found: &Found<'a>) -> Result<Value<'a>, serde_json::Error> {
    match found.text() {
        Cow::Borrowed(text) => json(text),
        Cow::Owned(text) => Ok(Json.deserialize(serde_json::from_str::<serde_json::Value>(&text)?)?),
    }
}

/// The data of an event that is not JSON: text, where it is UTF-8.
pub fn raw(data: &[u8]) -> Value<'_> {
    match std::str::from_utf8(data) {
        Ok(text) => Box::new(CelString::from(text)),
        Err(_) => Box::new(CelBytes::from(data)),
    }
}

struct Json;

impl<'a> DeserializeSeed<'a> for Json {
    type Value = Value<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Value<'a>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Json {
    type Value = Value<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value<'a>, E> {
        Ok(Box::new(CelNull))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'a>, E> {
        Ok(Box::new(CelBool::from(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'a>, E> {
        Ok(Box::new(CelInt::from(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'a>, E> {
        Ok(match i64::try_from(value) {
            Ok(value) => Box::new(CelInt::from(value)),
            Err(_) => Box::new(CelUInt::from(value)),
        })
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value<'a>, E> {
        Ok(Box::new(CelDouble::from(value)))
    }

    fn visit_borrowed_str<E>(self, value: &'a str) -> Result<Value<'a>, E> {
        Ok(Box::new(CelString::from(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value<'a>, E> {
        Ok(Box::new(CelString::from(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut elements: A) -> Result<Value<'a>, A::Error> {
        let mut list: Vec<Value<'a>> = Vec::new();
        while let Some(element) = elements.next_element_seed(Json)? {
            list.push(element);
        }
        Ok(Box::new(CelList::from(list)))
    }

    fn visit_map<A: MapAccess<'a>>(self, mut members: A) -> Result<Value<'a>, A::Error> {
        let mut map: HashMap<CelMapKey<'a>, Value<'a>> = HashMap::new();
        while let Some(name) = members.next_key_seed(Name)? {
            let value = members.next_value_seed(Json)?;
            // The first of a name counts, as it does in paths.
            map.entry(CelMapKey::String(name)).or_insert(value);
        }
        Ok(Box::new(CelMap::from(map)))
    }
}

/// A name, borrowed where it can be.
struct Name;

impl<'a> DeserializeSeed<'a> for Name {
    type Value = CelString<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<CelString<'a>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Name {
    type Value = CelString<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'a str) -> Result<CelString<'a>, E> {
        Ok(CelString::from(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<CelString<'a>, E> {
        Ok(CelString::from(name.to_owned()))
    }
}

static ATTRIBUTES: Type = Type::new_unspecified_type("attributes");

/// `ce`: the attributes of an event, each a string.
#[derive(Debug, Clone, Copy)]
pub struct Attributes<'a>(pub &'a Event);

impl Attributes<'_> {
    fn find(&self, name: &dyn Val) -> Option<&str> {
        self.0.get(name.downcast_ref::<CelString>()?.inner())
    }
}

impl Val for Attributes<'_> {
    fn get_type(&self) -> &Type {
        &ATTRIBUTES
    }

    fn cel_type() -> &'static Type {
        &ATTRIBUTES
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(*self)
    }
}

impl Container for Attributes<'_> {
    fn contains(&self, name: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(self.find(name).is_some())
    }
}

impl<'a> Indexer for Attributes<'a> {
    fn get<'b, 'v>(&'b self, name: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let event: &'a Event = self.0;
        let name = name.downcast_ref::<CelString>().map(CelString::inner).unwrap_or_default();
        let value: &'a str = event.get(name).ok_or_else(|| ExecutionError::no_such_key(name))?;
        let text: CelString<'a> = CelString::from(value);
        let value: Value<'v> = Box::new(text);
        Ok(CowVal::Owned(value))
    }

    fn steal<'v>(self: Box<Self>, name: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(name).map(CowVal::into_owned)
    }
}
