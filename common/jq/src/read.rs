//! JSON to values: RFC 8259 without any leniency, numbers with all their digits.

use hifijson::{
    Error, SliceLexer,
    num::LexWrite as _,
    str::LexAlloc as _,
    token::{Expect, Lex as _},
};
use jaq_json::Num;

use crate::{
    budget::check_depth,
    value::{List, Object, Text, Value},
};

/// Characters of the longest number: longer ones take more time than any other text of their length.
const MAX_NUMBER: usize = 10_000;

/// Why a text is no JSON that is taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Invalid {
    #[error("at byte {0}: {1}")]
    Json(usize, Error),
    #[error("a number of more than {MAX_NUMBER} characters")]
    Number,
}

impl From<Expect> for Failed {
    fn from(expect: Expect) -> Self {
        Self(Some(expect.into()))
    }
}

impl<E: Into<Error>> From<Wrapped<E>> for Failed {
    fn from(error: Wrapped<E>) -> Self {
        Self(Some(error.0.into()))
    }
}

/// `None` is a number too long.
struct Failed(Option<Error>);

struct Wrapped<E>(E);

/// Reads one value and nothing else.
pub(crate) fn value(json: &[u8]) -> Result<Value, Invalid> {
    let mut lexer = SliceLexer::new(json);
    let result = lexer.exactly_one(SliceLexer::ws_peek, |next, lexer| one(next, lexer, 0));
    result.map_err(|failed| match failed.0 {
        Some(error) => Invalid::Json(json.len() - lexer.as_slice().len(), error),
        None => Invalid::Number,
    })
}

/// Reads a number as it stands in JSON or in a query.
pub(crate) fn number(text: &str) -> Option<Num> {
    if text.len() > MAX_NUMBER {
        return None;
    }
    Some(Num::from_str_radix(text, 10).unwrap_or_else(|| Num::Dec(text.to_owned().into())))
}

fn one(next: u8, lexer: &mut SliceLexer<'_>, depth: u32) -> Result<Value, Failed> {
    check_depth(depth);
    Ok(match next {
        b'a'..=b'z' => lexer.null_or_bool().ok_or(Expect::Value)?.map_or(Value::Null, Value::Bool),
        b'0'..=b'9' | b'-' => {
            let (text, _) = lexer.num_string().validated().map_err(Wrapped)?;
            Value::Num(number(text).ok_or(Failed(None))?)
        }
        b'"' => Value::Text(text(lexer.discarded())?),
        b'[' => {
            let mut list = List::default();
            lexer.discarded().seq(b']', SliceLexer::ws_peek, |next, lexer| {
                list.push(one(next, lexer, depth + 1)?);
                Ok::<_, Failed>(())
            })?;
            Value::list(list)
        }
        b'{' => {
            let mut object = Object::default();
            lexer.discarded().seq(b'}', SliceLexer::ws_peek, |next, lexer| {
                lexer.expect(|_| Some(next), b'"').ok_or(Expect::String)?;
                let name = text(lexer)?;
                lexer.expect(SliceLexer::ws_peek, b':').ok_or(Expect::Colon)?;
                let next = lexer.ws_peek().ok_or(Expect::Value)?;
                object.insert(name, one(next, lexer, depth + 1)?);
                Ok::<_, Failed>(())
            })?;
            Value::object(object)
        }
        _ => return Err(Expect::Value.into()),
    })
}

fn text(lexer: &mut SliceLexer<'_>) -> Result<Text, Failed> {
    Ok(Text::new(lexer.str_string().map_err(Wrapped)?.into_owned()))
}
