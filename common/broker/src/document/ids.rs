//! The forms of the ids by which triggers of a broker begin in the past, for the brokers and for who checks their documents.
//!
//! Facts: Redis Streams, <https://redis.io/docs/latest/develop/data-types/streams/#entry-ids>; offsets of Kafka.

use chrono::DateTime;

use super::Bounds;

/// The milliseconds and the number of an id of a Redis stream: `ms-number`, or `ms` alone for the first one.
#[must_use]
pub fn stream_id(text: &str) -> Option<(u64, u64)> {
    let (time, number) = text.split_once('-').unwrap_or((text, "0"));
    Some((whole(time)?, whole(number)?))
}

/// An offset in a partition of Kafka.
#[must_use]
pub fn offset(text: &str) -> Option<i64> {
    whole(text).and_then(|offset| offset.try_into().ok())
}

/// Digits alone, which `parse` is not so strict about.
fn whole(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// What ids a broker has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// Those of a Redis stream.
    Stream,
    /// Offsets.
    Offsets,
}

impl Ids {
    /// Those of an adapter.
    #[must_use]
    pub fn of(adapter: &str) -> Option<Self> {
        match adapter {
            "redis-broker" => Some(Self::Stream),
            "kafka-broker" => Some(Self::Offsets),
            _ => None,
        }
    }

    /// What is wrong with the ids of bounds: the path of each that is none, and what was expected.
    #[must_use]
    pub fn problems(self, bounds: &Bounds) -> Vec<(&'static str, String)> {
        let ids = [("byId.start", &bounds.by_id.start), ("byId.end", &bounds.by_id.end)];
        ids.into_iter().filter_map(|(path, id)| Some((path, self.problem(id.as_deref()?)?))).collect()
    }

    fn problem(self, text: &str) -> Option<String> {
        if self.has(text) {
            return None;
        }
        let expected = match self {
            Self::Stream => "the id of an entry, <milliseconds>-<number>, such as 1646995200000-0",
            Self::Offsets => "an offset, a whole number such as 1200, which counts in each partition",
        };
        let hint = if DateTime::parse_from_rfc3339(text).is_ok() {
            "; a time belongs into byDate".to_owned()
        } else {
            self.hint(text)
        };
        Some(format!("expected {expected}{hint}"))
    }

    fn has(self, text: &str) -> bool {
        match self {
            Self::Stream => stream_id(text).is_some(),
            Self::Offsets => offset(text).is_some(),
        }
    }

    /// A part of the text that is an id, such as the offset of a position `partition/offset`.
    fn hint(self, text: &str) -> String {
        let parts = [text.trim(), text.rsplit('/').next().unwrap_or_default()];
        let found = parts.into_iter().find(|part| *part != text && self.has(part));
        found.map(|part| format!("; did you mean {part}?")).unwrap_or_default()
    }
}

/// Whether the ids are ones of a Redis stream.
///
/// # Errors
/// What is wrong with the first that is none, after its path.
pub fn of_stream(bounds: &Bounds) -> Result<(), String> {
    first(Ids::Stream, bounds)
}

/// Whether the ids are offsets.
///
/// # Errors
/// What is wrong with the first that is none, after its path.
pub fn of_offsets(bounds: &Bounds) -> Result<(), String> {
    first(Ids::Offsets, bounds)
}

fn first(ids: Ids, bounds: &Bounds) -> Result<(), String> {
    let mut problems = ids.problems(bounds).into_iter();
    problems.next().map_or(Ok(()), |(path, problem)| Err(format!("{path}: {problem}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Span;

    fn from(start: &str) -> Bounds {
        Bounds { by_id: Span { start: Some(start.to_owned()), end: None }, ..Bounds::default() }
    }

    #[test]
    fn each_log_has_its_own_ids() {
        for (text, of_a_stream, of_a_partition) in [
            ("0", true, true),
            ("1200", true, true),
            ("1646995200000-0", true, false),
            ("", false, false),
            ("-1", false, false),
            ("+1", false, false),
            ("$", false, false),
            ("a-1", false, false),
            ("1-", false, false),
            ("1-2-3", false, false),
            ("0x1", false, false),
            ("1.5", false, false),
            ("99999999999999999999", false, false),
        ] {
            let bounds = from(text);
            assert_eq!(of_stream(&bounds).is_ok(), of_a_stream, "{text}");
            assert_eq!(of_offsets(&bounds).is_ok(), of_a_partition, "{text}");
        }
    }

    #[test]
    fn what_may_have_been_meant_is_said() {
        for (text, check, end) in [
            ("2026-01-02T03:04:05Z", of_stream as fn(&Bounds) -> _, "; a time belongs into byDate"),
            ("2026-01-02T03:04:05Z", of_offsets, "; a time belongs into byDate"),
            ("3/1200", of_offsets, "; did you mean 1200?"),
            ("1646995200000-0", of_offsets, "counts in each partition"),
            (" 7-1", of_stream, "; did you mean 7-1?"),
            ("yesterday", of_stream, "such as 1646995200000-0"),
        ] {
            let problem: Result<(), String> = check(&from(text));
            let problem = problem.unwrap_err();
            assert!(problem.starts_with("byId.start: expected") && problem.ends_with(end), "{problem}");
        }
        let bounds = Bounds { by_id: Span { start: None, end: Some("now".to_owned()) }, ..Bounds::default() };
        assert!(of_stream(&bounds).unwrap_err().starts_with("byId.end: expected the id"));
    }
}
