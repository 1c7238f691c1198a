//! Moments and durations as texts (XML Schema 1.0, part 2, and exslt.org/date).

use std::time::{SystemTime, UNIX_EPOCH};

/// A moment as it was written: what was left out is not there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moment {
    pub year: Option<i64>,
    pub month: Option<i64>,
    pub day: Option<i64>,
    /// Hours, minutes, seconds.
    pub time: Option<(i64, i64, f64)>,
    /// Minutes east of Greenwich.
    pub zone: Option<i64>,
}

/// A duration: months and seconds, which do not become each other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Span {
    pub months: i64,
    pub seconds: f64,
}

impl Moment {
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut moment = Self::default();
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None if text.get(2..3) == Some(":") => ("", Some(text)),
            None => (text, None),
        };
        let date = match time {
            Some(time) => {
                let (time, zone) = zoned(time);
                moment.zone = zone;
                let mut parts = time.split(':');
                let whole = |text: Option<&str>, most: i64| {
                    let text = text.filter(|text| text.len() == 2)?;
                    text.parse::<i64>().ok().filter(|number| (0..=most).contains(number))
                };
                let (hour, minute) = (whole(parts.next(), 24)?, whole(parts.next(), 59)?);
                let seconds = parts.next().filter(|text| text.starts_with(|c: char| c.is_ascii_digit()))?;
                let seconds = seconds.parse::<f64>().ok().filter(|seconds| *seconds < 61.0)?;
                moment.time = Some((hour, minute, seconds));
                date
            }
            None => {
                let (date, zone) = zoned(date);
                moment.zone = zone;
                date
            }
        };
        if date.is_empty() {
            return time.map(|_| moment);
        }
        let (sign, digits) = date.strip_prefix('-').map_or((1, date), |digits| (-1, digits));
        let mut parts = digits.split('-');
        let year = parts.next().filter(|text| text.len() >= 4 && text.len() <= 9)?.parse::<i64>().ok()?;
        moment.year = Some(sign * year);
        for (part, most) in [(&mut moment.month, 12), (&mut moment.day, 31)] {
            let Some(text) = parts.next() else { break };
            let number =
                text.parse::<i64>().ok().filter(|number| text.len() == 2 && (1..=most).contains(number));
            *part = Some(number?);
        }
        let days = month_days(sign * year, moment.month.unwrap_or(1));
        let fits = parts.next().is_none() && moment.day.is_none_or(|day| day <= days);
        (fits && (time.is_none() || moment.day.is_some())).then_some(moment)
    }

    pub fn now() -> Self {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        Self::of_seconds(seconds as f64, Some(0))
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

    /// Seconds since 1970, in Greenwich.
    pub fn seconds(&self) -> f64 {
        let (hour, minute, seconds) = self.time.unwrap_or_default();
        let minutes = self.days() * 1440 + hour * 60 + minute - self.zone.unwrap_or(0);
        minutes as f64 * 60.0 + seconds
    }

    pub fn of_seconds(seconds: f64, zone: Option<i64>) -> Self {
        let local = seconds + zone.unwrap_or(0) as f64 * 60.0;
        let days = (local / 86_400.0).floor();
        let rest = local - days * 86_400.0;
        let (year, month, day) = civil(days as i64);
        let minutes = (rest / 60.0).floor();
        let time = ((minutes / 60.0).floor() as i64, minutes as i64 % 60, rest - minutes * 60.0);
        Self { year: Some(year), month: Some(month), day: Some(day), time: Some(time), zone }
    }

    pub fn week_day(&self) -> usize {
        (self.days() + 4).rem_euclid(7) as usize
    }

    pub fn day_of_year(&self) -> i64 {
        self.days() - Self { year: self.year, ..Self::default() }.days() + 1
    }

    /// The moment a span later, as exact as it was.
    pub fn plus(&self, span: Span) -> Self {
        let months = self.year.unwrap_or(1970) * 12 + self.month.unwrap_or(1) - 1 + span.months;
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
        let day = self.day.unwrap_or(1).min(month_days(year, month));
        let moved = Self { year: Some(year), month: Some(month), day: Some(day), ..self.clone() };
        let moved = Self::of_seconds(moved.seconds() + span.seconds, self.zone);
        Self {
            month: moved.month.filter(|_| self.month.is_some()),
            day: moved.day.filter(|_| self.day.is_some()),
            time: moved.time.filter(|_| self.time.is_some()),
            ..moved
        }
    }

    pub fn date_text(&self) -> String {
        let part = |number: Option<i64>| number.map_or(String::new(), |number| format!("-{number:02}"));
        let year = self.year.map_or(String::new(), |year| format!("{year:04}"));
        year + &part(self.month) + &part(self.day)
    }

    pub fn time_text(&self) -> String {
        self.time.map_or(String::new(), |(hour, minute, seconds)| {
            let width = if seconds.fract() == 0.0 { 2 } else { 0 };
            let seconds = crate::value::number_text(seconds);
            let pad = if width == 0 && seconds.find('.') == Some(1) { "0" } else { "" };
            format!("{hour:02}:{minute:02}:{pad}{seconds:0>width$}")
        })
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

    pub fn text(&self) -> String {
        let between = if self.time.is_some() { "T" } else { "" };
        format!("{}{between}{}{}", self.date_text(), self.time_text(), self.zone_text())
    }
}

impl Span {
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (sign, text) = text.strip_prefix('-').map_or((1.0, text), |text| (-1.0, text));
        let text = text.strip_prefix('P')?;
        let (date, time) = text.split_once('T').map_or((text, ""), |(date, time)| (date, time));
        let (mut months, mut seconds) = (0.0, 0.0);
        for (part, units) in [(date, "YMD"), (time, "HMS")] {
            let mut rest = part;
            while !rest.is_empty() {
                let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
                let number = rest[..end].parse::<f64>().ok().filter(|number| *number < 1e12)?;
                match (rest[end..].chars().next()?, units) {
                    ('Y', "YMD") => months += number * 12.0,
                    ('M', "YMD") => months += number,
                    ('D', "YMD") => seconds += number * 86_400.0,
                    ('H', "HMS") => seconds += number * 3600.0,
                    ('M', "HMS") => seconds += number * 60.0,
                    ('S', "HMS") => seconds += number,
                    _ => return None,
                }
                rest = &rest[end + 1..];
            }
        }
        (!text.is_empty()).then_some(Self { months: (sign * months) as i64, seconds: sign * seconds })
    }

    pub fn text(self) -> String {
        let sign = if self.months < 0 || self.seconds < 0.0 { "-" } else { "" };
        let (months, seconds) = (self.months.abs(), self.seconds.abs());
        let mut text = format!("{sign}P");
        let mut add = |number: f64, unit: char| {
            if number != 0.0 {
                text.push_str(&crate::value::number_text(number));
                text.push(unit);
            }
        };
        add((months / 12) as f64, 'Y');
        add((months % 12) as f64, 'M');
        add((seconds / 86_400.0).floor(), 'D');
        let rest = seconds % 86_400.0;
        if rest > 0.0 {
            text.push('T');
            for (number, unit) in
                [((rest / 3600.0).floor(), 'H'), ((rest % 3600.0 / 60.0).floor(), 'M'), (rest % 60.0, 'S')]
            {
                if number != 0.0 {
                    text.push_str(&crate::value::number_text(number));
                    text.push(unit);
                }
            }
        }
        if text.ends_with('P') { text + "0D" } else { text }
    }
}

/// Minutes east of Greenwich at the end of a text, and what stands before.
fn zoned(text: &str) -> (&str, Option<i64>) {
    if let Some(text) = text.strip_suffix('Z') {
        return (text, Some(0));
    }
    let Some((before, zone)) = text.len().checked_sub(6).and_then(|at| text.split_at_checked(at)) else {
        return (text, None);
    };
    let sign = match zone.as_bytes() {
        [b'+', _, _, b':', ..] => 1,
        [b'-', _, _, b':', ..] => -1,
        _ => return (text, None),
    };
    let minutes = zone[1..3].parse::<i64>().ok().zip(zone[4..].parse::<i64>().ok());
    minutes.map_or((text, None), |(hours, minutes)| (before, Some(sign * (hours * 60 + minutes))))
}

pub fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn month_days(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Year, month and day of a number of days since 1970-01-01.
pub fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}
