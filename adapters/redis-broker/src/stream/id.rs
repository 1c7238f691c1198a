//! The id of an entry of a stream: milliseconds and a number within them.
//!
//! Facts: Redis Streams, <https://redis.io/docs/latest/develop/data-types/streams/#entry-ids>.

use std::{fmt, str::FromStr};

/// An id; ids rise from entry to entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// Milliseconds since 1970.
    pub time: u64,
    /// The number within the millisecond.
    pub number: u64,
}

impl Id {
    /// The first id of a millisecond.
    pub const fn at(time: u64) -> Self {
        Self { time, number: 0 }
    }

    /// The id that would be right before.
    pub const fn before(self) -> Self {
        match self.number.checked_sub(1) {
            Some(number) => Self { number, ..self },
            None => Self { time: self.time.saturating_sub(1), number: u64::MAX },
        }
    }

    /// The id that would follow at once.
    pub const fn next(self) -> Self {
        match self.number.checked_add(1) {
            Some(number) => Self { number, ..self },
            None => Self { time: self.time.saturating_add(1), number: 0 },
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.time, self.number)
    }
}

impl FromStr for Id {
    type Err = String;

    /// Reads `ms-number`, or `ms` alone for the first id of it.
    fn from_str(text: &str) -> Result<Self, String> {
        let read = broker::document::ids::stream_id(text).map(|(time, number)| Self { time, number });
        read.ok_or_else(|| "expected the id of an entry, such as 1646995200000-0".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_numbers_not_text() {
        let id = |text: &str| text.parse::<Id>().unwrap();
        assert!(id("999-0") < id("1000-0") && id("5-9") < id("5-10"));
        assert_eq!(id("1646995200000"), Id::at(1_646_995_200_000));
        assert_eq!(id("7-3").to_string(), "7-3");
        assert_eq!((id("7-3").next(), id("7-3").before()), (id("7-4"), id("7-2")));
        assert_eq!(id("8-0").before(), Id { time: 7, number: u64::MAX });
        assert_eq!(Id { time: 7, number: u64::MAX }.next(), id("8-0"));
        for text in ["", "-", "a-1", "1-a", "1-2-3", "-1-1", "$", "0x1"] {
            assert!(text.parse::<Id>().is_err(), "{text}");
        }
    }
}
