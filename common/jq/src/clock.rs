//! Times: seconds since 1970, in parts, and as text. All of them are UTC, for an image has no time zones.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{
    DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _, Utc,
    format::{Item, Parsed, StrftimeItems, parse},
};
use jaq_core::{
    DataT, RunPtr,
    native::{Filter, bome, unary, v},
};
use jaq_json::Num;

use crate::{
    math::float,
    value::{Error, ValR, Value},
};

pub(crate) fn list<D: for<'a> DataT<V<'a> = Value>>() -> Vec<Filter<RunPtr<D>>> {
    vec![
        ("now", v(0), |_| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            bome(Ok(Value::from(now.as_secs_f64())))
        }),
        ("gmtime", v(0), |cv| bome(time(&cv.1).map(parts))),
        ("mktime", v(0), |cv| bome(mktime(&cv.1))),
        ("strftime", v(1), |cv| unary(cv, |value, format| formatted(&value, &format))),
        ("strptime", v(1), |cv| unary(cv, |value, format| parsed(&value, &format))),
        ("fromdateiso8601", v(0), |cv| bome(from_date(&cv.1))),
    ]
}

/// Seconds since 1970, or the parts of a time.
fn time(value: &Value) -> ValR<NaiveDateTime> {
    let time = match value {
        Value::Num(number) => {
            let seconds = float(number);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "what is too far is no time"
            )]
            DateTime::from_timestamp(seconds.floor() as i64, ((seconds - seconds.floor()) * 1e9) as u32)
                .map(|time: DateTime<Utc>| time.naive_utc())
        }
        Value::List(list) => {
            let part = |index: usize| match list.items().get(index) {
                Some(Value::Num(number)) => Some(float(number)),
                _ => None,
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "what is too far is no time"
            )]
            (|| {
                let (year, month, day) = (part(0)? as i32, part(1)? as u32, part(2)? as u32);
                let (hour, minute, second) = (part(3)? as u32, part(4)? as u32, part(5)?);
                let nanos = ((second - second.floor()) * 1e9) as u32;
                NaiveDate::from_ymd_opt(year, month.checked_add(1)?, day)?.and_hms_nano_opt(
                    hour,
                    minute,
                    second as u32,
                    nanos,
                )
            })()
        }
        _ => None,
    };
    time.ok_or_else(|| Error::str(format_args!("no time: {value}")))
}

/// As C has them: year, month from 0, day, hour, minute, second, day of the week, day of the year from 0.
fn parts(time: NaiveDateTime) -> Value {
    let whole = |part: u32| Value::from(part as usize);
    let second = f64::from(time.second()) + f64::from(time.nanosecond()) / 1e9;
    let second = if time.nanosecond() == 0 { whole(time.second()) } else { Value::from(second) };
    [
        Value::from(time.year() as isize),
        whole(time.month0()),
        whole(time.day()),
        whole(time.hour()),
        whole(time.minute()),
        second,
        whole(time.weekday().num_days_from_sunday()),
        whole(time.ordinal0()),
    ]
    .into_iter()
    .collect()
}

fn mktime(value: &Value) -> ValR {
    if !matches!(value, Value::List(_)) {
        return Err(Error::str(format_args!("mktime requires parts of a time, not: {value}")));
    }
    time(value).map(|time| Value::Num(Num::from_integral(time.and_utc().timestamp())))
}

fn text(value: &Value) -> ValR<&str> {
    match value {
        Value::Text(text) => Ok(text.as_str()),
        other => Err(Error::typ(other.clone(), "string")),
    }
}

fn items<'a>(format: &'a Value) -> ValR<Vec<Item<'a>>> {
    let items = StrftimeItems::new(text(format)?).parse();
    items.map_err(|_| Error::str(format_args!("no format of a time: {format}")))
}

fn formatted(value: &Value, format: &Value) -> ValR {
    let (time, items) = (time(value)?.and_utc(), items(format)?);
    Ok(Value::text(time.format_with_items(items.iter()).to_string()))
}

fn parsed(value: &Value, format: &Value) -> ValR {
    let mut found = Parsed::new();
    let (text, items) = (text(value)?, items(format)?);
    let date = parse(&mut found, text, items.iter()).and_then(|()| found.to_naive_date());
    let date =
        date.map_err(|error| Error::str(format_args!("{value} is no time of that format: {error}")))?;
    Ok(parts(date.and_time(found.to_naive_time().unwrap_or(NaiveTime::MIN))))
}

fn from_date(value: &Value) -> ValR {
    let time = DateTime::parse_from_rfc3339(text(value)?);
    let time = time.map_err(|error| Error::str(format_args!("{value} is no date: {error}")))?;
    Ok(Value::Num(Num::from_integral(time.timestamp())))
}
