//! The id of a dead letter: when it was put, and what tells it from others of that millisecond. As text it is in the order
//! of time, for as long as milliseconds have thirteen digits.

use std::{
    fmt,
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

/// An id; also the key of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    millis: u64,
    random: u64,
}

impl Id {
    /// One that nobody else has.
    pub fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { millis: u64::try_from(now.as_millis()).unwrap_or_default(), random: fastrand::u64(..) }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:013}-{:016x}", self.millis, self.random)
    }
}

impl FromStr for Id {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (millis, random) = text.split_once('-')?;
            let id = Self { millis: millis.parse().ok()?, random: u64::from_str_radix(random, 16).ok()? };
            // One way to write it: it is a key.
            (id.to_string() == text).then_some(id)
        };
        read().ok_or_else(|| "expected milliseconds, a hyphen and 16 digits".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_id_are_one() {
        let id = Id::new();
        assert_eq!(id.to_string().parse(), Ok(id));
        let early = Id { millis: 999, random: 1 };
        assert_eq!(early.to_string(), "0000000000999-0000000000000001");
        assert!(early < id && early.to_string() < id.to_string());
        for text in
            ["", "1-1", "0000000000999-1", "0000000000999-000000000000000G", "+000000000999-0000000000000001"]
        {
            assert!(text.parse::<Id>().is_err(), "{text}");
        }
    }
}
