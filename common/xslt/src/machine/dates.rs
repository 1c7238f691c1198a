//! Functions of EXSLT on dates and times (exslt.org/date): of years, dates, moments and times of day, and durations.

use super::{
    Machine, Place,
    calendar::{civil, is_leap},
    moments::Moment,
    spans::Span,
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
        let name = &*call.name.local;
        if name == "sum" {
            let nodes = self.nodes(&call.arguments[0], place)?;
            let texts = self.texts(&nodes)?;
            return Ok(Value::text(sum(&texts).map(Span::text).unwrap_or_default()));
        }
        let mut texts = Vec::new();
        for argument in &call.arguments {
            texts.push(self.text(argument, place)?);
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let moment = || texts.first().map_or_else(|| Some(Moment::now()), |text| Moment::parse(text));
        Ok(match (name, texts.as_slice()) {
            ("add", [begin, span]) => {
                let sum = Moment::parse(begin).zip(Span::parse(span));
                Value::text(
                    sum.and_then(|(begin, span)| begin.plus(span)).map_or_else(String::new, |sum| sum.text()),
                )
            }
            ("add-duration", [one, other]) => {
                let sum = Span::parse(one).zip(Span::parse(other)).and_then(|(one, other)| one.plus(other));
                Value::text(sum.map(Span::text).unwrap_or_default())
            }
            ("difference", [from, to]) => {
                let span =
                    Moment::parse(from).zip(Moment::parse(to)).and_then(|(from, to)| from.until(&to, false));
                Value::text(span.map(Span::text).unwrap_or_default())
            }
            ("duration", texts) => {
                let seconds = match texts.first() {
                    Some(text) => crate::value::text_number(text),
                    None => Moment::now().seconds().unwrap_or(f64::NAN),
                };
                Value::text(Span::of_seconds(seconds).map(Span::text).unwrap_or_default())
            }
            ("seconds", texts) => {
                let span = texts.first().and_then(|text| Span::parse(text)).filter(|span| span.months == 0);
                let seconds = moment().and_then(|moment| moment.seconds());
                Value::Number(seconds.or(span.map(Span::all_seconds)).unwrap_or(f64::NAN))
            }
            ("leap-year", _) => match moment().and_then(|moment| moment.year) {
                Some(year) => Value::Truth(is_leap(year)),
                None => Value::Number(f64::NAN),
            },
            (
                "date-time" | "date" | "time" | "month-name" | "month-abbreviation" | "day-name"
                | "day-abbreviation",
                _,
            ) => Value::text(moment().and_then(|moment| named(name, &moment)).unwrap_or_default()),
            _ => Value::Number(moment().and_then(|moment| counted(name, &moment)).unwrap_or(f64::NAN)),
        })
    }
}

/// Durations together; of none there is no sum.
fn sum(texts: &[String]) -> Option<Span> {
    let (first, rest) = texts.split_first()?;
    let first = Span::default().plus(Span::parse(first)?)?;
    rest.iter().try_fold(first, |sum, text| sum.plus(Span::parse(text)?))
}

fn named(what: &str, moment: &Moment) -> Option<String> {
    let month = || moment.month.and_then(|month| MONTHS.get(month as usize - 1)).copied();
    let day = || moment.is_date().then(|| DAYS[moment.week_day()]);
    Some(match what {
        "date-time" => moment.text(),
        "date" => moment.is_date().then(|| moment.date_text() + &moment.zone_text())?,
        "time" => moment.is_time().then(|| moment.time_text() + &moment.zone_text())?,
        "month-name" => month()?.to_owned(),
        "month-abbreviation" => month()?[..3].to_owned(),
        "day-name" => day()?.to_owned(),
        _ => day()?[..3].to_owned(),
    })
}

fn counted(what: &str, moment: &Moment) -> Option<f64> {
    let date = || moment.is_date().then_some(moment);
    let number = match what {
        "year" => moment.written_year()?,
        "month-in-year" => moment.month?,
        "day-in-month" => moment.day?,
        "day-in-year" => date()?.day_of_year(),
        "day-in-week" => date()?.week_day() as i64 + 1,
        "day-of-week-in-month" => (date()?.day? - 1) / 7 + 1,
        "week-in-month" => {
            // Weeks begin on Mondays.
            let first = (date()?.month_begin().week_day() as i64 + 6) % 7;
            (moment.day? + first - 1) / 7 + 1
        }
        "week-in-year" => {
            // ISO 8601: the week of its Thursday.
            let monday = date()?.days() - (moment.week_day() as i64 + 6) % 7;
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
