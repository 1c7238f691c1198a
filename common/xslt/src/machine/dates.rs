//! Functions of EXSLT on dates and times (exslt.org/date): of years, dates, moments and times of day, and durations.

use super::{
    Machine, Place,
    moments::{Moment, Span, civil, is_leap},
};
use crate::{Failure, value::Value, xpath::Call};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

impl<'s> Machine<'s> {
    pub fn date(&mut self, call: &'s Call, place: Place) -> Result<Value, Failure> {
        let mut texts = Vec::new();
        for argument in &call.arguments {
            texts.push(self.text(argument, place)?);
        }
        let name = &*call.name.local;
        let moment = match texts.first() {
            Some(text) => Moment::parse(text),
            None => Some(Moment::now()),
        };
        let second = texts.get(1).map(String::as_str).unwrap_or_default();
        Ok(match name {
            "add" => {
                let sum = moment.zip(Span::parse(second)).map(|(moment, span)| moment.plus(span).text());
                Value::text(sum.unwrap_or_default())
            }
            "difference" => {
                let spans = moment.zip(Moment::parse(second)).map(|(from, to)| between(&from, &to).text());
                Value::text(spans.unwrap_or_default())
            }
            "duration" => {
                let seconds = texts
                    .first()
                    .map_or_else(|| Moment::now().seconds(), |text| crate::value::text_number(text));
                Value::text(if seconds.is_finite() {
                    Span { months: 0, seconds }.text()
                } else {
                    String::new()
                })
            }
            "seconds" => {
                let span = texts.first().and_then(|text| Span::parse(text)).filter(|span| span.months == 0);
                Value::Number(
                    span.map(|span| span.seconds)
                        .or(moment.map(|moment| moment.seconds()))
                        .unwrap_or(f64::NAN),
                )
            }
            "date-time" | "date" | "time" | "month-name" | "month-abbreviation" | "day-name"
            | "day-abbreviation" => {
                Value::text(moment.and_then(|moment| named(name, &moment)).unwrap_or_default())
            }
            "leap-year" => Value::Truth(moment.and_then(|moment| moment.year).is_some_and(is_leap)),
            _ => Value::Number(moment.and_then(|moment| counted(name, &moment)).unwrap_or(f64::NAN)),
        })
    }
}

/// From one to the other, as exact as the less exact of both.
fn between(from: &Moment, to: &Moment) -> Span {
    if from.day.is_none() || to.day.is_none() {
        let months = |moment: &Moment| moment.year.unwrap_or(0) * 12 + moment.month.unwrap_or(1) - 1;
        let exact = from.month.is_some() && to.month.is_some();
        let months = if exact {
            months(to) - months(from)
        } else {
            (to.year.unwrap_or(0) - from.year.unwrap_or(0)) * 12
        };
        return Span { months, seconds: 0.0 };
    }
    let exact = from.time.is_some() && to.time.is_some();
    let seconds =
        if exact { to.seconds() - from.seconds() } else { (to.days() - from.days()) as f64 * 86_400.0 };
    Span { months: 0, seconds }
}

fn named(what: &str, moment: &Moment) -> Option<String> {
    let month = || moment.month.and_then(|month| MONTHS.get(month as usize - 1)).copied();
    let day = || moment.day.map(|_| DAYS[moment.week_day()]);
    Some(match what {
        "date-time" => moment.text(),
        "date" => {
            moment.day?;
            moment.date_text() + &moment.zone_text()
        }
        "time" => {
            moment.time?;
            moment.time_text() + &moment.zone_text()
        }
        "month-name" => month()?.to_owned(),
        "month-abbreviation" => month()?[..3].to_owned(),
        "day-name" => day()?.to_owned(),
        _ => day()?[..3].to_owned(),
    })
}

fn counted(what: &str, moment: &Moment) -> Option<f64> {
    let number = match what {
        "year" => moment.year?,
        "month-in-year" => moment.month?,
        "day-in-month" => moment.day?,
        "day-in-year" => moment.day.map(|_| moment.day_of_year())?,
        "day-in-week" => moment.day.map(|_| moment.week_day() as i64 + 1)?,
        "day-of-week-in-month" => (moment.day? - 1) / 7 + 1,
        "week-in-year" => {
            // ISO 8601: the week of its Thursday.
            moment.day?;
            let monday = moment.days() - (moment.week_day() as i64 + 6) % 7;
            let thursday = civil(monday + 3);
            let first = Moment { year: Some(thursday.0), ..Moment::default() }.days();
            (monday + 3 - first) / 7 + 1
        }
        "hour-in-day" => moment.time?.0,
        "minute-in-hour" => moment.time?.1,
        _ => return Some(moment.time?.2),
    };
    Some(number as f64)
}
