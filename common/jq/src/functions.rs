//! The functions of the language: those of jaq but for what reaches outside or cannot be bounded, and what gojq has beside.

use std::collections::HashSet;

use jaq_core::{
    Bind, Cv, DataT, Exn, Lut, RunPtr,
    data::HasLut,
    load::parse::Def,
    native::{Filter, Fun, bome, run, unary, v},
};

use crate::{
    access::indices,
    budget, clock, floats, formats, read, regex, texts,
    value::{Error, List, ValR, Value},
    write,
};

/// What a filter of ours works on.
pub struct Engine;

impl DataT for Engine {
    type V<'a> = Value;
    type Data<'a> = Terms<'a>;
}

/// The terms of a query, each look at which is a step.
#[derive(Clone, Copy)]
pub struct Terms<'a>(pub(crate) &'a Lut<Engine>);

impl<'a> HasLut<'a, Engine> for Terms<'a> {
    fn lut(&self) -> &'a Lut<Engine> {
        budget::step();
        self.0
    }
}

/// What is written in the language itself. A definition sees those before it, so ours stand around jaq's.
pub(crate) fn definitions() -> impl Iterator<Item = Def<&'static str>> {
    let own = |text| jaq_core::load::parse(text, |parser| parser.defs()).unwrap_or_default();
    let (before, after) = (own(include_str!("before.jq")), own(include_str!("after.jq")));
    let signature = |def: &Def<&'static str>| (def.name, def.args.len());
    let ours: HashSet<_> = before.iter().chain(&after).map(signature).collect();
    let is_theirs = move |def: &Def<&'static str>| !ours.contains(&signature(def));
    let theirs: Vec<_> = jaq_core::defs().chain(jaq_std::defs()).filter(is_theirs).collect();
    before.into_iter().chain(theirs).chain(after)
}

/// What is not. Of jaq's library there is nothing but definitions: its functions collect values where no bound is, see the
/// environment of the process, and would be a tenth of an image.
pub(crate) fn natives() -> impl Iterator<Item = Fun<Engine>> {
    jaq_core::funs().chain(own())
}

/// For any `D`, because what is known of [`Engine`] alone is not enough for the compiler.
fn own<D: for<'a> DataT<V<'a> = Value>>() -> impl Iterator<Item = Fun<D>> {
    let all = list().into_vec().into_iter().chain(floats::list()).chain(formats::list()).chain(texts::list());
    all.chain(clock::list()).map(run)
}

fn list<D: for<'a> DataT<V<'a> = Value>>() -> Box<[Filter<RunPtr<D>>]> {
    let pattern = || -> Box<[Bind]> { [Bind::Var(()), Bind::Var(())].into() };
    Box::new([
        ("length", v(0), |cv| bome(length(cv.1))),
        ("tojson", v(0), |cv| bome(Ok(Value::text(write::to_string(&cv.1))))),
        ("fromjson", v(0), |cv| bome(from_json(&cv.1))),
        ("contains", v(1), |cv| unary(cv, |value, part| contains(&value, &part).map(Value::from))),
        ("has", v(1), |cv| unary(cv, |value, key| has(&value, &key))),
        ("indices", v(1), |cv| unary(cv, |value, part| all_indices(&value, &part))),
        ("bsearch", v(1), |cv| unary(cv, binary_search)),
        ("type_name", v(0), |cv| bome(Ok(Value::text(cv.1.rank().1)))),
        ("float_nan", v(0), |_| bome(Ok(Value::from(f64::NAN)))),
        ("float_infinite", v(0), |_| bome(Ok(Value::from(f64::INFINITY)))),
        ("sort", v(0), |cv| bome(sorted(cv.1))),
        ("sort_pairs", v(0), |cv| {
            bome(pairs(cv.1).map(|pairs| pairs.into_iter().map(|pair| pair.1).collect()))
        }),
        ("group_pairs", v(0), |cv| bome(groups(cv.1))),
        ("matches", pattern(), |cv| found(cv, false, true)),
        ("split_matches", pattern(), |cv| found(cv, true, true)),
        ("split_", pattern(), |cv| found(cv, true, false)),
    ])
}

fn found<'a, D: DataT<V<'a> = Value>>(
    mut cv: Cv<'a, D>,
    mismatches: bool,
    matches: bool,
) -> jaq_core::ValXs<'a, Value> {
    let (flags, pattern) = (cv.0.pop_var(), cv.0.pop_var());
    bome(regex::find(&cv.1, &pattern, &flags, mismatches, matches))
}

fn length(value: Value) -> ValR {
    match value {
        Value::Null => Ok(Value::from(0_usize)),
        Value::Bool(_) => Err(Error::str(format_args!("length cannot be applied to: {value}"))),
        Value::Num(number) if number < jaq_json::Num::Int(0) => -Value::Num(number),
        Value::Num(number) => Ok(Value::Num(number)),
        Value::Text(text) => Ok(Value::from(text.as_str().chars().count())),
        Value::List(list) => Ok(Value::from(list.items().len())),
        Value::Object(object) => Ok(Value::from(object.members().len())),
    }
}

fn from_json(value: &Value) -> ValR {
    let Value::Text(text) = value else { return Err(Error::typ(value.clone(), "string")) };
    read::value(text.as_str().as_bytes())
        .map_err(|error| Error::str(format_args!("cannot parse {value} as JSON: {error}")))
}

fn contains(value: &Value, part: &Value) -> ValR<bool> {
    budget::step();
    match (value, part) {
        (Value::Text(text), Value::Text(part)) => {
            budget::steps((text.as_str().len() / 64) as u64);
            Ok(text.as_str().contains(part.as_str()))
        }
        (Value::List(list), Value::List(parts)) => {
            let is_there =
                |part: &Value| list.items().iter().any(|item| contains(item, part).unwrap_or(false));
            Ok(parts.items().iter().all(is_there))
        }
        (Value::Object(object), Value::Object(parts)) => {
            let is_there = |(name, part)| {
                object.members().get(name).is_some_and(|value| contains(value, part).unwrap_or(false))
            };
            Ok(parts.members().iter().all(is_there))
        }
        _ if value.rank() == part.rank() => Ok(value == part),
        _ => Err(Error::str(format_args!("cannot check contains({part}): {value}"))),
    }
}

fn has(value: &Value, key: &Value) -> ValR {
    match (value, key) {
        (Value::Object(object), Value::Text(name)) => Ok(object.members().contains_key(name).into()),
        (Value::List(list), Value::Num(number)) => {
            let index = crate::math::float(number);
            #[expect(clippy::cast_precision_loss, reason = "no list is so long")]
            Ok((index >= 0.0 && index < list.items().len() as f64).into())
        }
        _ => Err(Error::str(format_args!("cannot check whether {value} has a key: {key}"))),
    }
}

fn all_indices(value: &Value, part: &Value) -> ValR {
    match (value, part) {
        (Value::Null, _) => Ok(Value::Null),
        (Value::Text(text), Value::Text(part)) => Ok(text_indices(text.as_str(), part.as_str())),
        (Value::List(list), Value::List(part)) => Ok(indices(list.items(), part.items()).collect()),
        (Value::List(list), item) => {
            let items = list.items().iter().enumerate();
            Ok(items.filter(|(_, other)| *other == item).map(|(index, _)| Value::from(index)).collect())
        }
        _ => Err(Error::index(value.clone(), part.clone())),
    }
}

/// In characters, those that overlap too.
fn text_indices(text: &str, part: &str) -> Value {
    if part.is_empty() {
        return Value::Null;
    }
    let mut found = List::default();
    for (index, (at, _)) in text.char_indices().enumerate() {
        if text.as_bytes()[at..].starts_with(part.as_bytes()) {
            budget::steps((part.len() / 64) as u64);
            found.push(Value::from(index));
        }
    }
    budget::steps((text.len() / 16) as u64);
    Value::list(found)
}

fn binary_search(value: Value, wanted: Value) -> ValR {
    let Value::List(list) = &value else { return Err(Error::typ(value, "array")) };
    let index = |index: usize| isize::try_from(index).unwrap_or(isize::MAX);
    Ok(Value::from(list.items().binary_search(&wanted).map_or_else(|at| -1 - index(at), index)))
}

fn items(value: Value) -> ValR<Vec<Value>> {
    match value {
        Value::List(list) => Ok(crate::access::unshared(list).into_items()),
        other => Err(Error::typ(other, "array")),
    }
}

fn sorted(value: Value) -> ValR {
    let mut items = items(value)?;
    items.sort();
    Ok(items.into_iter().collect())
}

/// Pairs of a key and a value, sorted by key; what is equal keeps its order.
fn pairs(value: Value) -> ValR<Vec<(Value, Value)>> {
    let mut pairs = Vec::new();
    for pair in items(value)? {
        let mut pair = items(pair)?.into_iter();
        pairs.extend(pair.next().zip(pair.next()));
    }
    pairs.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(pairs)
}

fn groups(value: Value) -> ValR {
    let mut groups = List::default();
    let mut group: Option<(Value, List)> = None;
    for (key, value) in pairs(value)? {
        match &mut group {
            Some((begun, members)) if *begun == key => members.push(value),
            _ => {
                let mut members = List::default();
                members.push(value);
                if let Some((_, done)) = group.replace((key, members)) {
                    groups.push(Value::list(done));
                }
            }
        }
    }
    if let Some((_, done)) = group {
        groups.push(Value::list(done));
    }
    Ok(Value::list(groups))
}

/// What a query said last, or how it failed.
pub(crate) fn message(exception: Exn<'_, Value>) -> Option<String> {
    // What is no error is `halt`: the query wants to say no more.
    let value = exception.get_err().ok()?.into_val();
    Some(match value {
        Value::Text(text) => text.as_str().chars().take(500).collect(),
        other => other.to_string(),
    })
}
