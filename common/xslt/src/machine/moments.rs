//! Moments as texts (XML Schema 1.0, part 2, section 3.2, and exslt.org/date): of which what is left out is not there.
//!
//! What is a moment, and what becomes of it, is as in libexslt (date.c): there is no year 0, so that within, years before the
//! first are one higher.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{
    calendar::{civil, month_days},
    spans::Span,
};

/// The largest year that is reckoned with.
const MAX_YEAR: i64 = 1_000_000_000_000;
const DAY: f64 = 86_400.0;

/// A moment as it was written: what was left out is not there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moment {
    pub year: Option<i64>,
    pub month: Option<i64>,
    pub day: Option<i64>,
    /// Hours, minutes, seconds.
    pub time: Option<(i64, i64, f64)>,
    /// Minutes east of Greenwich, if that was said.
    pub zone: Option<i64>,
}

/// Two digits at the start of a text, and what comes behind.
fn two(text: &str) -> Option<(i64, &str)> {
    let (digits, rest) = text.split_at_checked(2)?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Some((digits.parse().ok()?, rest)))?
}

/// The same for a number of a range.
fn within(text: &str, least: i64, most: i64) -> Option<(i64, &str)> {
    two(text).filter(|(number, _)| (least..=most).contains(number))
}

/// Seconds with their fraction.
fn seconds(text: &str) -> Option<(f64, &str)> {
    let (_, rest) = within(text, 0, 59)?;
    let fraction = rest
        .strip_prefix('.')
        .map_or(0, |digits| 1 + digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len()));
    let (number, rest) = text.split_at(2 + fraction);
    Some((number.trim_end_matches('.').parse().ok()?, rest))
}

fn time(text: &str) -> Option<((i64, i64, f64), &str)> {
    let (hour, rest) = within(text, 0, 23)?;
    let (minute, rest) = within(rest.strip_prefix(':')?, 0, 59)?;
    let (second, rest) = seconds(rest.strip_prefix(':')?)?;
    Some(((hour, minute, second), rest))
}

/// A whole text that is a zone or empty.
fn zone(text: &str) -> Option<Option<i64>> {
    let sign = match text.chars().next() {
        None => return Some(None),
        Some('Z') => return (text == "Z").then_some(Some(0)),
        Some('+') => 1,
        Some('-') => -1,
        Some(_) => return None,
    };
    let (hours, rest) = within(&text[1..], 0, 23)?;
    let (minutes, rest) = within(rest.strip_prefix(':')?, 0, 59)?;
    let zone = sign * (hours * 60 + minutes);
    rest.is_empty().then_some((zone != 0).then_some(zone))
}

/// A year of four digits or more.
fn year(text: &str) -> Option<(i64, &str)> {
    let (is_before, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let length = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(length);
    let good = length >= 4 && !(length > 4 && digits.starts_with('0'));
    let year = digits.parse::<i64>().ok().filter(|year| good && (1..=MAX_YEAR).contains(year))?;
    Some((if is_before { 1 - year } else { year }, rest))
}

impl Moment {
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("--") {
            return Self::without_year(rest);
        }
        if let Some((time, rest)) = time(text)
            && let Some(zone) = zone(rest)
        {
            return Some(Self { time: Some(time), zone, ..Self::default() });
        }
        let (year, rest) = year(text)?;
        let mut moment = Self { year: Some(year), ..Self::default() };
        if let Some(zone) = zone(rest) {
            return Some(Self { zone, ..moment });
        }
        let (month, rest) = within(rest.strip_prefix('-')?, 1, 12)?;
        moment.month = Some(month);
        if let Some(zone) = zone(rest) {
            return Some(Self { zone, ..moment });
        }
        let (day, rest) = within(rest.strip_prefix('-')?, 1, month_days(year, month))?;
        moment.day = Some(day);
        if let Some(zone) = zone(rest) {
            return Some(Self { zone, ..moment });
        }
        let (time, rest) = time(rest.strip_prefix('T')?)?;
        Some(Self { time: Some(time), zone: zone(rest)?, ..moment })
    }

    /// What follows `--`: a day, a month, or both.
    fn without_year(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix('-') {
            let (day, rest) = within(rest, 1, 31)?;
            return Some(Self { day: Some(day), zone: zone(rest)?, ..Self::default() });
        }
        let (month, rest) = within(text, 1, 12)?;
        let month = Some(month);
        let rest = rest.strip_prefix('-')?;
        if let Some(rest) = rest.strip_prefix('-') {
            return Some(Self { month, zone: zone(rest)?, ..Self::default() });
        }
        let (day, rest) = within(rest, 1, 31)?;
        Some(Self { month, day: Some(day), zone: zone(rest)?, ..Self::default() })
    }

    pub fn now() -> Self {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        Self { zone: None, ..Self::of(seconds.div_euclid(86_400), seconds.rem_euclid(86_400) as f64) }
    }

    /// A moment of so many days since 1970-01-01, and of so many seconds.
    fn of(days: i64, seconds: f64) -> Self {
        let (year, month, day) = civil(days);
        let minutes = (seconds / 60.0).floor();
        let time = ((minutes / 60.0).floor() as i64, minutes as i64 % 60, seconds - minutes * 60.0);
        Self { year: Some(year), month: Some(month), day: Some(day), time: Some(time), zone: None }
    }

    /// Whether it has a date, with or without a time.
    pub fn is_date(&self) -> bool {
        self.year.is_some() && self.day.is_some()
    }

    /// Whether it has a time, with a date or alone.
    pub fn is_time(&self) -> bool {
        self.time.is_some()
    }

    /// The year as it is written.
    pub fn written_year(&self) -> Option<i64> {
        self.year.map(|year| if year <= 0 { year - 1 } else { year })
    }

    /// Days since 1970-01-01, with what is left out the first.
    pub fn days(&self) -> i64 {
        let (year, month) = (self.year.unwrap_or(1970), self.month.unwrap_or(1));
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let of_era = year - era * 400;
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + self.day.unwrap_or(1) - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    /// Seconds of its day.
    fn of_day(&self) -> f64 {
        let (hour, minute, seconds) = self.time.unwrap_or_default();
        (hour * 3600 + minute * 60) as f64 + seconds
    }

    pub fn week_day(&self) -> usize {
        (self.days() + 4).rem_euclid(7) as usize
    }

    pub fn day_of_year(&self) -> i64 {
        self.days() - Self { year: self.year, ..Self::default() }.days() + 1
    }

    /// The first day of its month.
    pub fn month_begin(&self) -> Self {
        Self { day: Some(1), time: None, ..self.clone() }
    }

    /// The moment a span later, which may be more exact; it has a year.
    pub fn plus(&self, span: Span) -> Option<Self> {
        let begin = self.year? * 12 + self.month.unwrap_or(1) - 1;
        let months = begin.checked_add(span.months)?;
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
        if year.abs() > MAX_YEAR {
            return None;
        }
        let day = self.day.unwrap_or(1).min(month_days(year, month));
        let moved = Self { year: Some(year), month: Some(month), day: Some(day), ..Self::default() };
        let seconds = self.of_day() + span.seconds;
        let more = (seconds / DAY).floor();
        let days = moved.days().checked_add(span.days)?.checked_add(more as i64)?;
        if days.abs() > MAX_YEAR * 366 {
            return None;
        }
        let mut moved = Self { zone: self.zone, ..Self::of(days, seconds - more * DAY) };
        if self.time.is_none() && moved.time == Some((0, 0, 0.0)) {
            moved.time = None;
            if self.day.is_none() && moved.day == Some(1) {
                moved.day = None;
                if self.month.is_none() && moved.month == Some(1) {
                    moved.month = None;
                }
            }
        }
        Some(moved)
    }

    /// From here to another, as exact as the less exact of both; in days even of years and months where that is asked for.
    pub fn until(&self, other: &Self, in_days: bool) -> Option<Span> {
        let exactness = |moment: &Self| [moment.month.is_some(), moment.day.is_some(), moment.time.is_some()];
        let least = exactness(self).into_iter().zip(exactness(other)).map(|(one, other)| one && other);
        let [has_month, has_day, has_time] = least.collect::<Vec<_>>().try_into().ok()?;
        let cut = |moment: &Self| Self {
            month: moment.month.filter(|_| has_month),
            day: moment.day.filter(|_| has_day),
            time: moment.time.filter(|_| has_time),
            ..moment.clone()
        };
        let (from, to) = (cut(self), cut(other));
        let months = (to.year? - from.year?) * 12 + to.month.unwrap_or(1) - from.month.unwrap_or(1);
        if !has_day && !in_days {
            return Some(Span { months, ..Span::default() });
        }
        let zones = from.zone.unwrap_or(0) - to.zone.unwrap_or(0);
        let seconds = to.of_day() - from.of_day() + (zones * 60) as f64;
        let more = (seconds / DAY).floor();
        let days = to.days() - from.days() + more as i64;
        Some(Span { months: 0, days, seconds: seconds - more * DAY })
    }

    /// Seconds since 1970.
    pub fn seconds(&self) -> Option<f64> {
        let epoch =
            Self { year: Some(1970), month: Some(1), day: Some(1), time: Some((0, 0, 0.0)), zone: None };
        epoch.until(self, true).map(Span::all_seconds)
    }

    pub fn date_text(&self) -> String {
        let part = |number: Option<i64>| number.map_or(String::new(), |number| format!("-{number:02}"));
        let year = self
            .written_year()
            .map_or(String::new(), |year| format!("{}{:04}", if year < 0 { "-" } else { "" }, year.abs()));
        year + &part(self.month) + &part(self.day)
    }

    pub fn time_text(&self) -> String {
        let Some((hour, minute, seconds)) = self.time else { return String::new() };
        let parts = (((seconds - seconds.floor()) * 1e9 + 0.5).floor() as i64).min(999_999_999);
        let parts = if parts > 0 { format!(".{parts:09}") } else { String::new() };
        format!("{hour:02}:{minute:02}:{:02}{}", seconds.floor() as i64, parts.trim_end_matches('0'))
    }

    pub fn zone_text(&self) -> String {
        match self.zone {
            None => String::new(),
            Some(0) => "Z".to_owned(),
            Some(zone) => {
                let sign = if zone < 0 { '-' } else { '+' };
                format!("{sign}{:02}:{:02}", zone.abs() / 60, zone.abs() % 60)
            }
        }
    }

    /// As it is written; with date and time, and no zone, that of Greenwich.
    pub fn text(&self) -> String {
        if self.year.is_some() && self.time.is_some() {
            let zone = self.zone.or(Some(0));
            return format!(
                "{}T{}{}",
                self.date_text(),
                self.time_text(),
                Self { zone, ..Self::default() }.zone_text()
            );
        }
        self.date_text() + &self.time_text() + &self.zone_text()
    }
}
