//! Functions of strings, and what else is plain.

use jaq_core::{
    DataT, Exn, RunPtr,
    box_iter::box_once,
    native::{Filter, bome, unary, v},
};

use crate::value::{Error, List, ValR, Value};

pub(crate) fn list<D: for<'a> DataT<V<'a> = Value>>() -> Vec<Filter<RunPtr<D>>> {
    vec![
        ("utf8bytelength", v(0), |cv| bome(text(&cv.1).map(|text| Value::from(text.len())))),
        ("explode", v(0), |cv| {
            bome(text(&cv.1).map(|text| text.chars().map(|c| Value::from(c as usize)).collect()))
        }),
        ("implode", v(0), |cv| bome(implode(&cv.1))),
        ("ascii_downcase", v(0), |cv| bome(text(&cv.1).map(|text| Value::text(text.to_ascii_lowercase())))),
        ("ascii_upcase", v(0), |cv| bome(text(&cv.1).map(|text| Value::text(text.to_ascii_uppercase())))),
        ("startswith", v(1), |cv| {
            unary(cv, |value, start| Ok(text(&value)?.starts_with(text(&start)?).into()))
        }),
        ("endswith", v(1), |cv| unary(cv, |value, end| Ok(text(&value)?.ends_with(text(&end)?).into()))),
        ("trim", v(0), |cv| bome(text(&cv.1).map(|text| Value::text(text.trim())))),
        ("ltrim", v(0), |cv| bome(text(&cv.1).map(|text| Value::text(text.trim_start())))),
        ("rtrim", v(0), |cv| bome(text(&cv.1).map(|text| Value::text(text.trim_end())))),
        ("escape_sh", v(0), |cv| bome(text(&cv.1).map(|text| Value::text(text.replace('\'', "'\\''"))))),
        ("reverse", v(0), |cv| bome(reversed(&cv.1))),
        ("halt", v(1), |mut cv| {
            drop(cv.0.pop_var());
            box_once(Err(Exn::halt(0)))
        }),
    ]
}

fn text(value: &Value) -> ValR<&str> {
    match value {
        Value::Text(text) => Ok(text.as_str()),
        other => Err(Error::typ(other.clone(), "string")),
    }
}

fn implode(value: &Value) -> ValR {
    let Value::List(list) = value else { return Err(Error::typ(value.clone(), "array")) };
    let mut text = String::new();
    for item in list.items() {
        let code = match item {
            Value::Num(number) => number.as_isize().and_then(|code| u32::try_from(code).ok()),
            _ => None,
        };
        let c = code.and_then(char::from_u32);
        text.push(c.ok_or_else(|| Error::str(format_args!("no character: {item}")))?);
    }
    Ok(Value::text(text))
}

fn reversed(value: &Value) -> ValR {
    let mut items = List::default();
    match value {
        Value::List(list) => list.items().iter().rev().for_each(|item| items.push(item.clone())),
        Value::Text(text) => return Ok(Value::text(text.as_str().chars().rev().collect::<String>())),
        Value::Null => {}
        other => return Err(Error::typ(other.clone(), "array")),
    }
    Ok(Value::list(items))
}
