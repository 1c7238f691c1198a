//! What arrived beside what was expected.

use base64::Engine as _;
use common::Event;
use serde_json::Value as Json;

use super::case::{Case, Expected};
use super::flow::{Arrival, Flow};

/// Why a test fails.
#[derive(Debug)]
pub enum Difference<'a> {
    /// An event that is not as expected.
    Other { expected: &'a Expected, arrival: &'a Arrival, fields: Vec<Field> },
    /// One that did not arrive.
    Missing(&'a Expected),
    /// One that nobody expected.
    Surplus(&'a Arrival),
}

/// One field of an event; `None` is one that is, or should be, absent.
#[derive(Debug, PartialEq)]
pub struct Field {
    /// Such as `type` or `data.items[0].price`.
    pub path: String,
    pub expected: Option<Json>,
    pub found: Option<Json>,
}

/// The differences, in the order of the test; none when it passes.
pub fn differences<'a>(case: &'a Case, flow: &'a Flow) -> Vec<Difference<'a>> {
    let mut left: Vec<&Arrival> = flow.arrivals.iter().collect();
    let is_there = |expected: &Expected, arrival: &Arrival| {
        arrival.place == expected.place
            && expected.trigger.as_ref().is_none_or(|t| arrival.trigger.as_ref() == Some(t))
    };
    // Those that are right first: the rest is then compared with what is most like it.
    let mut open = Vec::new();
    for expected in &case.expected {
        let right =
            |arrival: &&Arrival| is_there(expected, arrival) && fields(expected, &arrival.event).is_empty();
        match left.iter().position(right) {
            Some(position) => drop(left.remove(position)),
            None => open.push(expected),
        }
    }
    let mut found = Vec::new();
    for expected in open {
        let candidates = left.iter().enumerate().filter(|(_, arrival)| is_there(expected, arrival));
        let nearest = candidates
            .map(|(position, arrival)| (fields(expected, &arrival.event), position))
            .min_by_key(|(fields, _)| fields.len());
        match nearest {
            Some((fields, position)) => {
                found.push(Difference::Other { expected, arrival: left.remove(position), fields });
            }
            None => found.push(Difference::Missing(expected)),
        }
    }
    found.extend(left.into_iter().map(Difference::Surplus));
    found
}

/// The fields that differ: only those that are expected, or all.
fn fields(expected: &Expected, event: &Event) -> Vec<Field> {
    let mut fields = Vec::new();
    for (name, value) in expected.event.iter().filter(|(name, _)| !is_data(name)) {
        let wanted = match value {
            Json::Null => None,
            Json::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let found = event.get(name);
        if wanted.as_deref() != found {
            let (expected, found) = (wanted.map(Json::from), found.map(Json::from));
            fields.push(Field { path: name.clone(), expected, found });
        }
    }
    if expected.exact {
        for (name, value) in
            event.attributes().filter(|(name, _)| !expected.event.contains_key(name.as_str()))
        {
            let found = Some(value.as_str().into());
            fields.push(Field { path: name.as_str().to_owned(), expected: None, found });
        }
    }
    let (name, wanted) = match (expected.event.get("data"), expected.event.get("data_base64")) {
        (Some(value), _) => ("data", Some(value)),
        (None, Some(value)) => ("data_base64", Some(value)),
        (None, None) => ("data", None),
    };
    let found = if name == "data" {
        event.data().map(|_| data(event))
    } else {
        event.data().map(|data| base64(data))
    };
    match (wanted, found) {
        (Some(Json::Null), found) if found.as_ref().is_none_or(Json::is_null) => {}
        (Some(wanted), Some(found)) => compare(name, wanted, &found, expected.exact, &mut fields),
        (None, None) => {}
        (None, found) if !expected.exact => drop(found),
        (wanted, found) => {
            fields.push(Field { path: name.to_owned(), expected: wanted.cloned(), found });
        }
    }
    fields
}

fn is_data(name: &str) -> bool {
    matches!(name, "data" | "data_base64")
}

/// The data as a value: JSON by its content type, else text, else base64.
fn data(event: &Event) -> Json {
    let bytes = event.data().map_or(&[][..], |data| data);
    let as_json = if event.is_json() { serde_json::from_slice(bytes).ok() } else { None };
    as_json.unwrap_or_else(|| match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => base64(bytes),
    })
}

fn base64(data: &[u8]) -> Json {
    base64::engine::general_purpose::STANDARD.encode(data).into()
}

fn compare(path: &str, wanted: &Json, found: &Json, exact: bool, fields: &mut Vec<Field>) {
    match (wanted, found) {
        (Json::Object(wanted), Json::Object(found)) => {
            for (key, value) in wanted {
                let path = format!("{path}.{key}");
                match found.get(key) {
                    Some(found) => compare(&path, value, found, exact, fields),
                    None => fields.push(Field { path, expected: Some(value.clone()), found: None }),
                }
            }
            for (key, value) in found.iter().filter(|(key, _)| exact && !wanted.contains_key(*key)) {
                fields.push(Field {
                    path: format!("{path}.{key}"),
                    expected: None,
                    found: Some(value.clone()),
                });
            }
        }
        (Json::Array(wanted), Json::Array(found)) => {
            for number in 0..wanted.len().max(found.len()) {
                let path = format!("{path}[{number}]");
                match (wanted.get(number), found.get(number)) {
                    (Some(wanted), Some(found)) => compare(&path, wanted, found, exact, fields),
                    (wanted, found) => {
                        fields.push(Field { path, expected: wanted.cloned(), found: found.cloned() });
                    }
                }
            }
        }
        (Json::Number(one), Json::Number(other)) if one.as_f64() == other.as_f64() && is_same(one, other) => {
        }
        (wanted, found) if wanted == found => {}
        (wanted, found) => fields.push(Field {
            path: path.to_owned(),
            expected: Some(wanted.clone()),
            found: Some(found.clone()),
        }),
    }
}

/// `1` and `1.0` are the same number; large integers are compared to the last digit.
fn is_same(one: &serde_json::Number, other: &serde_json::Number) -> bool {
    one.is_f64() || other.is_f64() || one == other
}
