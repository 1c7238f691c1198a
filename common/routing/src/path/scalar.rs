//! What a found value is as a number, a text or a truth value: gjson's `Int`, `Uint`, `Float`, `String` and `Bool`, which
//! give a zero value for what cannot be one.

use std::{borrow::Cow, cmp::Ordering};

use super::{Comparison, Found, Pattern};

/// The type of a value in JSON.
enum Scalar<'a> {
    Null,
    Bool(bool),
    Number(Cow<'a, str>),
    Text(String),
    /// An object or an array.
    Structure,
}

/// Whole numbers of this size and below are the same as 64-bit floating point.
const EXACT: f64 = 9_007_199_254_740_991.0;

impl<'a> Found<'a> {
    fn scalar(&self) -> Scalar<'a> {
        let text = match self {
            Self::Json(text) => *text,
            Self::Count(count) => return Scalar::Number(Cow::Owned(count.to_string())),
            Self::List(_) => return Scalar::Structure,
        };
        match text.as_bytes().first() {
            Some(b't') => Scalar::Bool(true),
            Some(b'f') => Scalar::Bool(false),
            Some(b'"') => Scalar::Text(serde_json::from_str(text).unwrap_or_default()),
            Some(b'{' | b'[') => Scalar::Structure,
            Some(b'-' | b'0'..=b'9') => Scalar::Number(Cow::Borrowed(text)),
            _ => Scalar::Null,
        }
    }

    /// As a whole number: fractions are cut off, texts must be digits.
    #[must_use]
    pub fn int(&self) -> i64 {
        match self.scalar() {
            Scalar::Bool(true) => 1,
            Scalar::Text(text) => whole(&text).unwrap_or_default(),
            Scalar::Number(text) => match (float(&text), whole(&text)) {
                #[expect(clippy::cast_possible_truncation, reason = "cutting off is what is wanted")]
                (number, _) if number.abs() <= EXACT => number as i64,
                (_, Some(number)) => number,
                #[expect(clippy::cast_possible_truncation, reason = "what is too large becomes the largest")]
                (number, None) => number as i64,
            },
            _ => 0,
        }
    }

    /// As a whole number that is not negative.
    #[must_use]
    pub fn uint(&self) -> u64 {
        match self.scalar() {
            Scalar::Bool(true) => 1,
            Scalar::Text(text) => digits(&text).unwrap_or_default(),
            Scalar::Number(text) => digits(&text).unwrap_or_else(|| {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "cutting off is what is wanted, and what is negative becomes 0"
                )]
                let number = float(&text) as u64;
                number
            }),
            _ => 0,
        }
    }

    /// As a number.
    #[must_use]
    pub fn double(&self) -> f64 {
        match self.scalar() {
            Scalar::Bool(true) => 1.0,
            Scalar::Text(text) => float(&text),
            Scalar::Number(text) => float(&text),
            _ => 0.0,
        }
    }

    /// As a truth value: of a text `true`, `t` and `1` in any letter case, of a number all but 0.
    #[must_use]
    pub fn bool(&self) -> bool {
        match self.scalar() {
            Scalar::Bool(value) => value,
            Scalar::Text(text) => ["true", "t", "1"].iter().any(|yes| text.eq_ignore_ascii_case(yes)),
            Scalar::Number(text) => float(&text) != 0.0,
            Scalar::Null | Scalar::Structure => false,
        }
    }

    /// As a text; objects and arrays are their JSON, whole numbers keep every digit.
    #[must_use]
    pub fn string(&self) -> Cow<'a, str> {
        match self.scalar() {
            Scalar::Null => Cow::Borrowed(""),
            Scalar::Bool(true) => Cow::Borrowed("true"),
            Scalar::Bool(false) => Cow::Borrowed("false"),
            Scalar::Text(text) => Cow::Owned(text),
            Scalar::Number(text)
                if text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                text
            }
            Scalar::Number(text) => Cow::Owned(float(&text).to_string()),
            Scalar::Structure => self.text(),
        }
    }
}

fn float(text: &str) -> f64 {
    text.parse().unwrap_or_default()
}

/// Digits, perhaps with a minus before them.
fn whole(text: &str) -> Option<i64> {
    let number = text.strip_prefix('-').unwrap_or(text);
    let is_whole = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if is_whole { text.parse().ok() } else { None }
}

fn digits(text: &str) -> Option<u64> {
    let is_whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_whole { text.parse().ok() } else { None }
}

impl Comparison {
    /// Compares as the type of the value in the data has it: texts as texts, numbers as numbers.
    pub(super) fn holds(self, found: &Found<'_>, value: &str) -> bool {
        match found.scalar() {
            Scalar::Text(text) => match self {
                Self::Like => Pattern::of(value).matches(&text),
                Self::NotLike => !Pattern::of(value).matches(&text),
                _ => self.orders(text.as_str().cmp(value)),
            },
            Scalar::Number(number) => {
                float(&number).partial_cmp(&float(value)).is_some_and(|order| self.orders(order))
            }
            Scalar::Bool(truth) => match value {
                "true" => self.orders(truth.cmp(&true)),
                "false" => self.orders(truth.cmp(&false)),
                _ => self == Self::NotEqual,
            },
            Scalar::Null | Scalar::Structure => false,
        }
    }

    fn orders(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Like | Self::NotLike => false,
        }
    }
}
