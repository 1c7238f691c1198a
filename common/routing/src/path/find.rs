//! What stands at a path: the data are read as they are, and what is found is a part of them.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Path, Query, Step};

/// What stands at a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<'a> {
    /// A value in the data, as it is written there.
    Json(&'a str),
    /// How many elements there are.
    Count(usize),
    /// Several values, which are no array in the data.
    List(Vec<Found<'a>>),
}

/// The data is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the data is no JSON")]
pub struct NotJson;

impl<'a> Found<'a> {
    /// Its JSON text.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        match self {
            Self::Json(text) => Cow::Borrowed(text),
            Self::Count(count) => Cow::Owned(count.to_string()),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(Found::text).collect();
                Cow::Owned(format!("[{}]", items.join(",")))
            }
        }
    }

    /// The elements of an array; what is none is its own only element.
    #[must_use]
    pub fn elements(self) -> Vec<Found<'a>> {
        match self {
            Self::List(items) => items,
            // It stands in data that were read as JSON before.
            Self::Json(text) if text.starts_with('[') => serde_json::from_str::<Vec<&RawValue>>(text)
                .unwrap_or_default()
                .into_iter()
                .map(|element| Self::Json(element.get()))
                .collect(),
            other => vec![other],
        }
    }
}

impl Path {
    /// What stands at this path in a JSON text; of members with the same name the first counts.
    ///
    /// # Errors
    /// When the text is not JSON.
    pub fn find<'a>(&self, text: &'a str) -> Result<Option<Found<'a>>, NotJson> {
        let mut stages = self.stages.iter();
        let first = stages.next().map(Vec::as_slice).unwrap_or_default();
        let mut found = descend(text.trim_matches([' ', '\t', '\r', '\n']), first)?;
        for stage in stages {
            let Some(before) = found else { return Ok(None) };
            found = further(before, stage)?;
        }
        Ok(found)
    }
}

type Outcome<'a> = Result<Option<Found<'a>>, NotJson>;

/// Follows the steps into a JSON text; the depth of this recursion is their number.
fn descend<'a>(text: &'a str, steps: &[Step]) -> Outcome<'a> {
    let Some((step, rest)) = steps.split_first() else {
        return Ok(Some(Found::Json(text)));
    };
    if *step == Step::This {
        if rest.is_empty() {
            // Nobody else looks at the whole of it.
            serde_json::from_str::<IgnoredAny>(text).map_err(|_| NotJson)?;
        }
        return descend(text, rest);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = reader.deserialize_any(Walk { step, rest }).map_err(|_| NotJson)?;
    reader.end().map_err(|_| NotJson)?;
    Ok(found)
}

/// Follows the steps into what an earlier stage found.
fn further<'a>(found: Found<'a>, steps: &[Step]) -> Outcome<'a> {
    let items = match found {
        Found::Json(text) => return descend(text, steps),
        Found::List(items) => items,
        Found::Count(_) => return Ok(steps.iter().all(|step| *step == Step::This).then_some(found)),
    };
    let Some((step, rest)) = steps.split_first() else { return Ok(Some(Found::List(items))) };
    match step {
        Step::This => further(Found::List(items), rest),
        Step::Count => Ok(Some(Found::Count(items.len()))),
        Step::Part { index: Some(index), .. } | Step::Index(index) => match items.into_iter().nth(*index) {
            Some(item) => further(item, rest),
            None => Ok(None),
        },
        Step::Each => {
            let found = items.into_iter().filter_map(|item| further(item, rest).transpose());
            Ok(Some(Found::List(found.collect::<Result<_, _>>()?)))
        }
        Step::First(query) => match items.into_iter().find(|item| query.holds(item)) {
            Some(item) => further(item, rest),
            None => Ok(None),
        },
        Step::All(query) => {
            let items = items.into_iter().filter(|item| query.holds(item));
            let found = items.filter_map(|item| further(item, rest).transpose());
            Ok(Some(Found::List(found.collect::<Result<_, _>>()?)))
        }
        Step::Part { .. } | Step::Pattern(_) | Step::Key(_) => Ok(None),
    }
}

/// Reads one value to its end and takes one step into it.
struct Walk<'s> {
    step: &'s Step,
    rest: &'s [Step],
}

impl Walk<'_> {
    fn is_wanted(&self, name: &str) -> bool {
        match self.step {
            Step::Part { name: wanted, .. } | Step::Key(wanted) => name == wanted,
            Step::Pattern(pattern) => pattern.matches(name),
            Step::This | Step::Count | Step::Each | Step::First(_) | Step::All(_) | Step::Index(_) => false,
        }
    }

    fn element<'a, A: SeqAccess<'a>>(&self, elements: &mut A) -> Result<Option<&'a str>, A::Error> {
        Ok(elements.next_element::<&RawValue>()?.map(RawValue::get))
    }
}

impl<'a> Visitor<'a> for Walk<'_> {
    type Value = Option<Found<'a>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(wanted) = members.next_key_seed(Name(&self))? {
            if wanted && found.is_none() {
                let value: &RawValue = members.next_value()?;
                found = descend(value.get(), self.rest).unwrap_or_default();
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let found = match self.step {
            Step::Part { index: Some(index), .. } | Step::Index(index) => {
                for _ in 0..*index {
                    if elements.next_element::<IgnoredAny>()?.is_none() {
                        return Ok(None);
                    }
                }
                let element = self.element(&mut elements)?;
                element.and_then(|text| descend(text, self.rest).unwrap_or_default())
            }
            Step::Count => {
                let mut count = 0;
                while elements.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Some(Found::Count(count))
            }
            Step::First(query) => {
                let mut found = None;
                while let Some(text) = self.element(&mut elements)? {
                    if query.holds(&Found::Json(text)) {
                        found = descend(text, self.rest).unwrap_or_default();
                        break;
                    }
                }
                found
            }
            Step::Each | Step::All(_) => {
                let mut found = Vec::new();
                while let Some(text) = self.element(&mut elements)? {
                    let wanted = match self.step {
                        Step::All(query) => query.holds(&Found::Json(text)),
                        _ => true,
                    };
                    if wanted {
                        found.extend(descend(text, self.rest).unwrap_or_default());
                    }
                }
                Some(Found::List(found))
            }
            Step::This | Step::Part { .. } | Step::Pattern(_) | Step::Key(_) => None,
        };
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }

    // There is no way into a scalar.
    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// Reads a name and says whether it is wanted.
struct Name<'w, 's>(&'w Walk<'s>);

impl<'a> DeserializeSeed<'a> for Name<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(self.0.is_wanted(name))
    }
}

impl Query {
    fn holds(&self, element: &Found<'_>) -> bool {
        let found = match element {
            _ if self.path.is_empty() => Some(element.clone()),
            Found::Json(text) => descend(text, &self.path).unwrap_or_default(),
            other => further(other.clone(), &self.path).unwrap_or_default(),
        };
        match (found, &self.test) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(found), Some((comparison, value))) => comparison.holds(&found, value),
        }
    }
}
