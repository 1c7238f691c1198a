//! Values, their types, and the casts between them (sections 3.1 and 3.7).

use std::{borrow::Cow, fmt};

use crate::error::EvaluationError;

/// How much of a String an error message shows, in characters.
const EXCERPT: usize = 32;

/// The types of CESQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Unicode text.
    String,
    /// A signed integer of 32 bits.
    Integer,
    /// True or false.
    Boolean,
}

impl Type {
    /// What stands for the result of something that failed: `""`, `0`, `false`.
    pub(crate) fn zero(self) -> Value<'static> {
        match self {
            Self::String => Value::from(""),
            Self::Integer => Value::Integer(0),
            Self::Boolean => Value::Boolean(false),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "String",
            Self::Integer => "Integer",
            Self::Boolean => "Boolean",
        })
    }
}

/// A value; text is borrowed from the event or the expression wherever possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// Unicode text; also URIs and timestamps.
    String(Cow<'a, str>),
    /// A signed integer of 32 bits.
    Integer(i32),
    /// True or false.
    Boolean(bool),
}

impl<'a> Value<'a> {
    /// The type of the value.
    #[must_use]
    pub fn kind(&self) -> Type {
        match self {
            Self::String(_) => Type::String,
            Self::Integer(_) => Type::Integer,
            Self::Boolean(_) => Type::Boolean,
        }
    }

    /// The same value without the borrow.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Self::Integer(number) => Value::Integer(number),
            Self::Boolean(truth) => Value::Boolean(truth),
        }
    }

    /// The same value, borrowed from this one.
    pub(crate) fn borrowed(&self) -> Value<'_> {
        match self {
            Self::String(text) => Value::String(Cow::Borrowed(text)),
            Self::Integer(number) => Value::Integer(*number),
            Self::Boolean(truth) => Value::Boolean(*truth),
        }
    }

    /// The cast to String, which never fails.
    #[must_use]
    pub fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::String(text) => text,
            Self::Integer(number) => Cow::Owned(number.to_string()),
            Self::Boolean(true) => Cow::Borrowed("true"),
            Self::Boolean(false) => Cow::Borrowed("false"),
        }
    }

    /// The cast to Integer: an optional sign and decimal digits, nothing else.
    pub(crate) fn to_integer(&self) -> Result<i32, EvaluationError> {
        match self {
            Self::String(text) => text.parse().map_err(|_| refusal(text, Type::Integer)),
            Self::Integer(number) => Ok(*number),
            Self::Boolean(truth) => Ok(i32::from(*truth)),
        }
    }

    /// The cast to Boolean: `true` and `false` in any case; an Integer is true unless it is 0.
    pub(crate) fn to_boolean(&self) -> Result<bool, EvaluationError> {
        match self {
            Self::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Self::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Self::String(text) => Err(refusal(text, Type::Boolean)),
            Self::Integer(number) => Ok(*number != 0),
            Self::Boolean(truth) => Ok(*truth),
        }
    }
}

fn refusal(text: &str, to: Type) -> EvaluationError {
    let shown: String = text.chars().take(EXCERPT).collect();
    let ellipsis = if shown.len() < text.len() { "…" } else { "" };
    EvaluationError::Cast { text: format!("{shown:?}{ellipsis}"), to }
}

/// The text form, as the cast to String gives it.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.borrowed().into_text())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::String(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::String(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Value<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::String(text)
    }
}

impl From<i32> for Value<'_> {
    fn from(number: i32) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}
