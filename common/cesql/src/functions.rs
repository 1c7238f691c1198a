//! The built-in functions (section 3.5), the casts, and the type tests of the drafts.

use std::borrow::Cow;

use crate::{
    error::EvaluationError,
    evaluate::{Raised, Work},
    value::{Type, Value},
};

/// A function together with the number of arguments it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Length,
    Concat,
    ConcatWs,
    Lower,
    Upper,
    Trim,
    Left,
    Right,
    SubstringFrom,
    Substring,
    Abs,
    Int,
    Bool,
    Text,
    IsInt,
    IsBool,
}

impl Function {
    /// Looks a function up by its name in upper case and the number of its arguments.
    pub(crate) fn find(name: &str, arguments: usize) -> Option<Self> {
        Some(match (name, arguments) {
            ("LENGTH", 1) => Self::Length,
            ("CONCAT", _) => Self::Concat,
            ("CONCAT_WS", 1..) => Self::ConcatWs,
            ("LOWER", 1) => Self::Lower,
            ("UPPER", 1) => Self::Upper,
            ("TRIM", 1) => Self::Trim,
            ("LEFT", 2) => Self::Left,
            ("RIGHT", 2) => Self::Right,
            ("SUBSTRING", 2) => Self::SubstringFrom,
            ("SUBSTRING", 3) => Self::Substring,
            ("ABS", 1) => Self::Abs,
            ("INT", 1) => Self::Int,
            ("BOOL", 1) => Self::Bool,
            ("STRING", 1) => Self::Text,
            ("IS_INT", 1) => Self::IsInt,
            ("IS_BOOL", 1) => Self::IsBool,
            _ => return None,
        })
    }

    /// The type of the result.
    pub(crate) fn kind(self) -> Type {
        match self {
            Self::Length | Self::Abs | Self::Int => Type::Integer,
            Self::Bool | Self::IsInt | Self::IsBool => Type::Boolean,
            _ => Type::String,
        }
    }

    /// Calls the function with as many values as [`Self::find`] was asked for.
    pub(crate) fn call<'e>(self, values: Vec<Value<'e>>, work: &mut Work) -> Result<Value<'e>, Raised<'e>> {
        let mut values = Arguments(values.into_iter());
        Ok(match self {
            Self::Length => Value::Integer(integer(length(&values.text()))),
            Self::Concat => join("", values, work)?,
            Self::ConcatWs => join(&values.text(), values, work)?,
            Self::Lower => built(values.text().to_lowercase(), work)?,
            Self::Upper => built(values.text().to_uppercase(), work)?,
            Self::Trim => {
                let text = values.text();
                let start = text.len() - text.trim_start().len();
                let end = start + text.trim().len();
                slice(text, start, end)
            }
            Self::Left => {
                let (text, count) = (values.text(), values.integer()?);
                let Ok(count) = usize::try_from(count) else { return Err(negative_length(text)) };
                let end = offset(&text, count);
                slice(text, 0, end)
            }
            Self::Right => {
                let (text, count) = (values.text(), values.integer()?);
                let Ok(count) = usize::try_from(count) else { return Err(negative_length(text)) };
                let start = offset(&text, length(&text).saturating_sub(count));
                let end = text.len();
                slice(text, start, end)
            }
            Self::SubstringFrom => substring(values.text(), values.integer()?, None)?,
            Self::Substring => substring(values.text(), values.integer()?, Some(values.integer()?))?,
            Self::Abs => match values.integer()?.checked_abs() {
                Some(number) => Value::Integer(number),
                None => {
                    let error = EvaluationError::Math("the absolute value does not fit into 32 bits");
                    return Err(Raised { error, value: Some(Value::Integer(i32::MAX)) });
                }
            },
            Self::Int => Value::Integer(values.integer()?),
            Self::Bool => Value::Boolean(values.value().to_boolean()?),
            Self::Text => Value::String(values.text()),
            Self::IsInt => {
                let value = values.value();
                Value::Boolean(value.kind() != Type::Boolean && value.to_integer().is_ok())
            }
            Self::IsBool => {
                let value = values.value();
                Value::Boolean(value.kind() != Type::Integer && value.to_boolean().is_ok())
            }
        })
    }
}

/// The values of a call, taken from left to right.
struct Arguments<'e>(std::vec::IntoIter<Value<'e>>);

impl<'e> Arguments<'e> {
    fn value(&mut self) -> Value<'e> {
        // There are as many as the function was found for; an empty text is what is left to say otherwise.
        self.0.next().unwrap_or(Value::String(Cow::Borrowed("")))
    }

    fn text(&mut self) -> Cow<'e, str> {
        self.value().into_text()
    }

    fn integer(&mut self) -> Result<i32, EvaluationError> {
        self.value().to_integer()
    }
}

fn negative_length(text: Cow<'_, str>) -> Raised<'_> {
    let error = EvaluationError::Function("LEFT and RIGHT need a length of at least 0");
    Raised { error, value: Some(Value::String(text)) }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// Saturates: a text of more than 2³¹ characters is beyond every bound on the way here.
fn integer(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The byte at which the character of this index starts; the end of the text when it has fewer.
fn offset(text: &str, characters: usize) -> usize {
    text.char_indices().nth(characters).map_or(text.len(), |(index, _)| index)
}

/// A part of a text; borrowed when the text is.
fn slice(text: Cow<'_, str>, start: usize, end: usize) -> Value<'_> {
    Value::String(match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(start..end).unwrap_or_default()),
        Cow::Owned(text) => Cow::Owned(text.get(start..end).unwrap_or_default().to_owned()),
    })
}

fn built<'e>(text: String, work: &mut Work) -> Result<Value<'e>, EvaluationError> {
    work.spend(text.len())?;
    Ok(text.into())
}

fn join<'e>(delimiter: &str, values: Arguments<'e>, work: &mut Work) -> Result<Value<'e>, EvaluationError> {
    let texts: Vec<_> = values.0.map(Value::into_text).collect();
    // Paid for before it is built: a long delimiter between thousands of arguments outgrows the memory.
    let delimiters = delimiter.len().saturating_mul(texts.len().saturating_sub(1));
    work.spend(texts.iter().fold(delimiters, |sum, text| sum.saturating_add(text.len())))?;
    Ok(texts.join(delimiter).into())
}

/// `position` counts from 1, or from the end when it is negative; without `count` up to the end of the text.
fn substring(text: Cow<'_, str>, position: i32, count: Option<i32>) -> Result<Value<'_>, EvaluationError> {
    let all = length(&text);
    let distance = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
    if distance > all {
        return Err(EvaluationError::Function("SUBSTRING starts outside the text"));
    }
    let count = match count.map(usize::try_from) {
        None => all,
        Some(Ok(count)) => count,
        Some(Err(_)) => return Err(EvaluationError::Function("SUBSTRING needs a length of at least 0")),
    };
    if position == 0 {
        return Ok(Value::from(""));
    }
    let first = if position > 0 { distance - 1 } else { all - distance };
    let start = offset(&text, first);
    let end = offset(&text, first.saturating_add(count));
    Ok(slice(text, start, end))
}
