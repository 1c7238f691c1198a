//! How jaq reaches into values: what its language needs of a type of values.

use std::{ops::Range, rc::Rc};

use jaq_core::{Exn, box_iter::box_once, path::Opt};
use jaq_json::Num;

use crate::{
    budget,
    math::float,
    read,
    value::{Error, List, Object, Text, ValR, ValX, Value},
    write,
};

/// The largest index that makes a list longer.
const MAX_INDEX: usize = 1 << 20;

type Values<T> = Box<dyn Iterator<Item = ValR<T>>>;

impl jaq_core::ValT for Value {
    fn from_num(text: &str) -> ValR {
        read::number(text).map(Self::Num).ok_or_else(|| Error::str("no number"))
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(members: I) -> ValR {
        let mut object = Object::default();
        for (name, value) in members {
            match name {
                Self::Text(name) => object.insert(name, value),
                other => {
                    return Err(Error::str(format_args!(
                        "expected a string for object key but got: {other}"
                    )));
                }
            }
        }
        Ok(Self::object(object))
    }

    fn key_values(self) -> Values<(Self, Self)> {
        match self {
            Self::List(list) => {
                let items = unshared(list).into_items().into_iter().enumerate();
                Box::new(items.map(|(index, item)| Ok((Self::from(index), item))))
            }
            Self::Object(object) => {
                let members = unshared(object).into_members().into_iter();
                Box::new(members.map(|(name, value)| Ok((Self::Text(name), value))))
            }
            other => box_once(Err(not_iterable(&other))),
        }
    }

    fn values(self) -> Values<Self> {
        match self {
            Self::List(list) => Box::new(unshared(list).into_items().into_iter().map(counted)),
            Self::Object(object) => Box::new(unshared(object).into_members().into_values().map(counted)),
            other => box_once(Err(not_iterable(&other))),
        }
    }

    fn index(self, index: &Self) -> ValR {
        Ok(match (self, index) {
            (Self::Null, Self::Text(_) | Self::Num(_) | Self::Object(_) | Self::Null) => Self::Null,
            (Self::Object(object), Self::Text(name)) => {
                object.members().get(name).cloned().unwrap_or(Self::Null)
            }
            (Self::List(list), Self::Num(number)) => position(number, list.items().len())
                .and_then(|at| list.items().get(at))
                .cloned()
                .unwrap_or(Self::Null),
            (Self::List(list), Self::List(part)) => Self::from_iter(indices(list.items(), part.items())),
            (value @ (Self::List(_) | Self::Text(_)), Self::Object(range)) => {
                return value.range(range.members().get("start")..range.members().get("end"));
            }
            (value, index) => return Err(unfit(&value, index)),
        })
    }

    fn range(self, range: Range<Option<&Self>>) -> ValR {
        match self {
            Self::Null => Ok(Self::Null),
            Self::List(list) => {
                let part = bounds(range, list.items().len())?;
                Ok(list.items().get(part).unwrap_or_default().iter().cloned().collect())
            }
            Self::Text(text) => Ok(Self::text(&text.as_str()[characters(range, text.as_str())?])),
            other => Err(Error::str(format_args!("cannot take a slice of {other}"))),
        }
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a>>>(self, opt: Opt, map: impl Fn(Self) -> I) -> ValX<'a> {
        match self {
            Self::List(list) => unshared(list).into_items().into_iter().flat_map(map).collect(),
            Self::Object(object) => {
                let mut mapped = Object::default();
                for (name, value) in unshared(object).into_members() {
                    if let Some(value) = map(value).next().transpose()? {
                        mapped.insert(name, value);
                    }
                }
                Ok(Self::object(mapped))
            }
            other => opt.fail(other, |other| Exn::from(not_iterable(&other))),
        }
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a>>>(
        self,
        index: &Self,
        opt: Opt,
        map: impl Fn(Self) -> I,
    ) -> ValX<'a> {
        match (self, index) {
            // Nothing becomes what the index is one of, as in jq.
            (Self::Null, Self::Text(_)) => Self::object(Object::default()).map_index(index, opt, map),
            (Self::Null, Self::Num(_)) => Self::list(List::default()).map_index(index, opt, map),
            (Self::Null, Self::Object(_)) => Self::list(List::default()).map_index(index, opt, map),
            (Self::Object(mut object), Self::Text(name)) => {
                let members = Rc::make_mut(&mut object);
                let old = members.take(name.as_str());
                let is_there = old.is_some();
                match map(old.unwrap_or(Self::Null)).next().transpose()? {
                    Some(new) => members.insert(name.clone(), new),
                    None if is_there => members.remove(name.as_str()),
                    None => {}
                }
                checked(Self::Object(object))
            }
            (Self::List(mut list), Self::Num(number)) => {
                let length = list.items().len();
                let Some(at) = position(number, length) else {
                    let out = |_| Exn::from(Error::str(format_args!("index {index} out of bounds")));
                    return opt.fail(Self::List(list), out);
                };
                let items = Rc::make_mut(&mut list);
                let old = items.take(at);
                let is_there = old.is_some();
                match map(old.unwrap_or(Self::Null)).next().transpose()? {
                    Some(new) if is_there => items.put(at, new),
                    Some(_) if at > MAX_INDEX => {
                        return Err(Error::str(format_args!("array index too large: {index}")).into());
                    }
                    Some(new) => {
                        (length..at).for_each(|_| items.push(Self::Null));
                        items.push(new);
                    }
                    None if is_there => items.remove(at),
                    None => {}
                }
                checked(Self::List(list))
            }
            (value @ (Self::List(_) | Self::Text(_)), Self::Object(range)) => {
                value.map_range(range.members().get("start")..range.members().get("end"), opt, map)
            }
            (value, index) => opt.fail(value, |value| Exn::from(unfit(&value, index))),
        }
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a>>>(
        self,
        range: Range<Option<&Self>>,
        opt: Opt,
        map: impl Fn(Self) -> I,
    ) -> ValX<'a> {
        match self {
            Self::Null => Self::list(List::default()).map_range(range, opt, map),
            Self::List(mut list) => {
                let part = match bounds(range, list.items().len()) {
                    Ok(part) => part,
                    Err(error) => return opt.fail(Self::List(list), |_| error.into()),
                };
                let old = list.items().get(part.clone()).unwrap_or_default().iter().cloned().collect();
                let new = match map(old).next().transpose()? {
                    Some(Self::List(new)) => new,
                    Some(other) => return Err(Error::typ(other, "array").into()),
                    None => Rc::default(),
                };
                let depth = Self::List(Rc::clone(&new)).depth();
                Rc::make_mut(&mut list).splice(part, new.items(), depth);
                checked(Self::List(list))
            }
            Self::Text(text) => {
                let part = match characters(range, text.as_str()) {
                    Ok(part) => part,
                    Err(error) => return opt.fail(Self::Text(text), |_| error.into()),
                };
                let (before, after) = (&text.as_str()[..part.start], &text.as_str()[part.end..]);
                let new = match map(Self::text(&text.as_str()[part.clone()])).next().transpose()? {
                    Some(Self::Text(new)) => new,
                    Some(other) => return Err(Error::typ(other, "string").into()),
                    None => Text::new(String::new()),
                };
                Ok(Self::text([before, new.as_str(), after].concat()))
            }
            other => opt.fail(other, |other| Exn::from(Error::typ(other, "array"))),
        }
    }

    fn as_bool(&self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false))
    }

    fn into_string(self) -> Self {
        match self {
            Self::Text(_) => self,
            other => Self::text(write::to_string(&other)),
        }
    }
}

/// The only one who has it takes it apart, anybody else a copy.
pub(crate) fn unshared<T: Clone>(shared: Rc<T>) -> T {
    Rc::try_unwrap(shared).unwrap_or_else(|shared| T::clone(&shared))
}

fn counted(value: Value) -> ValR {
    budget::step();
    Ok(value)
}

/// The value, when what was put into it has not made it too deep.
fn checked<'a>(value: Value) -> ValX<'a> {
    value.depth();
    Ok(value)
}

/// Where a part stands in a list, each time.
pub(crate) fn indices<'a>(items: &'a [Value], part: &'a [Value]) -> impl Iterator<Item = Value> + 'a {
    let windows = items.windows(part.len().max(1)).enumerate();
    windows
        .filter(move |(_, window)| !part.is_empty() && *window == part)
        .map(|(index, _)| Value::from(index))
}

/// The index that a number is; those below 0 count from the end.
pub(crate) fn position(number: &Num, length: usize) -> Option<usize> {
    let index = float(number).floor();
    #[expect(clippy::cast_precision_loss, reason = "no list is so long")]
    let index = if index < 0.0 { index + length as f64 } else { index };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and is not below 0"
    )]
    (index >= 0.0).then_some(index as usize)
}

/// The part of so many that the bounds mean.
fn bounds(range: Range<Option<&Value>>, length: usize) -> ValR<Range<usize>> {
    let bound = |bound: Option<&Value>, round: fn(f64) -> f64, default: usize| match bound {
        None | Some(Value::Null) => Ok(default),
        Some(Value::Num(number)) => {
            let number = Num::Float(round(float(number)));
            Ok(position(&number, length).unwrap_or(0).min(length))
        }
        Some(other) => Err(Error::typ(other.clone(), "number")),
    };
    let (start, end) = (bound(range.start, f64::floor, 0)?, bound(range.end, f64::ceil, length)?);
    Ok(start..end.max(start))
}

/// The same in the characters of a text, as bytes.
fn characters(range: Range<Option<&Value>>, text: &str) -> ValR<Range<usize>> {
    budget::steps((text.len() / 64) as u64);
    let part = bounds(range, text.chars().count())?;
    let at = |index: usize| text.char_indices().nth(index).map_or(text.len(), |(at, _)| at);
    Ok(at(part.start)..at(part.end))
}

fn not_iterable(value: &Value) -> Error {
    Error::str(format_args!("cannot iterate over: {value}"))
}

fn unfit(value: &Value, index: &Value) -> Error {
    match index {
        Value::Text(_) => Error::str(format_args!("expected an object but got: {value}")),
        Value::Num(_) => Error::str(format_args!("expected an array but got: {value}")),
        other => Error::index(value.clone(), other.clone()),
    }
}
