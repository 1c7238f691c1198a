//! Which part of what a broker keeps a trigger gets: from an id or a time, to an id or a time.
//!
//! Facts: the TriggerMesh brokers' `bounds`, of which ids win over times. They count when a trigger is first seen.

use chrono::DateTime;
use indexmap::IndexMap;

use super::{Node, Problems};

/// The bounds of a trigger, at least one of them given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// By the ids of the log.
    pub by_id: Span<String>,
    /// By time, in milliseconds since 1970.
    pub by_date: Span<i64>,
}

/// From where, and to where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span<T> {
    /// The beginning.
    pub start: Option<T>,
    /// The end.
    pub end: Option<T>,
}

impl<T> Default for Span<T> {
    fn default() -> Self {
        Self { start: None, end: None }
    }
}

/// Reads bounds; what is empty in every part is none.
pub(super) fn read(node: &Node, path: &str, problems: &mut Problems) -> Option<Bounds> {
    let map = node.map(path, problems)?;
    let bounds = Bounds {
        by_id: span(map, "byId", path, problems, |text| Ok(text.to_owned())),
        by_date: span(map, "byDate", path, problems, |text| {
            let time = DateTime::parse_from_rfc3339(text).map_err(|_| "expected a time (RFC 3339)")?;
            Ok(time.timestamp_millis())
        }),
    };
    (bounds != Bounds::default()).then_some(bounds)
}

fn span<T>(
    map: &IndexMap<String, Node>,
    key: &str,
    path: &str,
    problems: &mut Problems,
    parse: fn(&str) -> Result<T, &'static str>,
) -> Span<T> {
    let path = format!("{path}.{key}");
    let Some(map) = map.get(key).unwrap_or(&Node::Null).map(&path, problems) else {
        return Span::default();
    };
    let mut end = |key: &str| {
        let text = match map.get(key) {
            // An offset needs no quotes.
            Some(Node::Integer(number)) => number.to_string(),
            _ => Node::text(map, key, &path, problems)?.to_owned(),
        };
        match parse(&text) {
            Ok(value) => Some(value),
            Err(problem) => problems.add(&format!("{path}.{key}"), problem),
        }
    };
    Span { start: end("start"), end: end("end") }
}
