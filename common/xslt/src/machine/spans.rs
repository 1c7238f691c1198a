//! Durations as texts (XML Schema 1.0, part 2, section 3.2.6, and exslt.org/date), as in libexslt (date.c).

const DAY: i64 = 86_400;
/// The largest number in a text.
const MOST: i64 = 1_000_000_000_000_000;

/// A duration: months, which are of no certain length, and days and seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Span {
    pub months: i64,
    pub days: i64,
    /// Never negative, and less than a day.
    pub seconds: f64,
}

impl Span {
    pub fn parse(text: &str) -> Option<Self> {
        const UNITS: [char; 6] = ['Y', 'M', 'D', 'H', 'M', 'S'];
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
        let mut rest = text.strip_prefix('P').filter(|rest| !rest.is_empty())?;
        let (mut span, mut seconds, mut unit) = (Self::default(), 0, 0);
        while !rest.is_empty() {
            match rest.strip_prefix('T') {
                Some(time) if unit <= 3 => (rest, unit) = (time, 3),
                None if unit < UNITS.len() && unit != 3 => {}
                _ => return None,
            }
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (whole, behind) = rest.split_at(digits);
            let length = behind.strip_prefix('.').map_or(0, |fraction| {
                1 + fraction.len() - fraction.trim_start_matches(|c: char| c.is_ascii_digit()).len()
            });
            let (fraction, behind) = behind.split_at(length);
            if whole.is_empty() && fraction.len() < 2 {
                return None;
            }
            let number =
                if whole.is_empty() { 0 } else { whole.parse().ok().filter(|number| *number <= MOST)? };
            let letter = behind.chars().next()?;
            let last = if unit < 3 { 3 } else { UNITS.len() };
            unit += UNITS.get(unit..last)?.iter().position(|known| *known == letter)?;
            if !fraction.is_empty() && unit != 5 {
                return None;
            }
            match unit {
                0 => span.months = number * 12,
                1 => span.months += number,
                2 => span.days = number,
                3 => seconds += number * 3600,
                4 => seconds += number * 60,
                _ => seconds += number,
            }
            if fraction.len() > 1 {
                span.seconds = format!("0{fraction}").parse().ok()?;
            }
            rest = &behind[1..];
            unit += 1;
        }
        span.days += seconds / DAY;
        span.seconds += (seconds % DAY) as f64;
        Some(if is_negative { span.negative() } else { span })
    }

    fn negative(self) -> Self {
        let (months, days) = (-self.months, -self.days);
        if self.seconds == 0.0 {
            return Self { months, days, seconds: 0.0 };
        }
        Self { months, days: days - 1, seconds: DAY as f64 - self.seconds }
    }

    /// A number of seconds.
    pub fn of_seconds(seconds: f64) -> Option<Self> {
        let days = (seconds / DAY as f64).floor();
        let fits = days.abs() < 9e18;
        fits.then_some(Self { months: 0, days: days as i64, seconds: seconds - days * DAY as f64 })
    }

    /// Without its months.
    pub fn all_seconds(self) -> f64 {
        self.days as f64 * DAY as f64 + self.seconds
    }

    /// Both together; not when one of months and days would be negative alone.
    pub fn plus(self, other: Self) -> Option<Self> {
        let months = self.months.checked_add(other.months)?;
        let mut days = self.days.checked_add(other.days)?;
        let mut seconds = self.seconds + other.seconds;
        if seconds >= DAY as f64 {
            seconds -= DAY as f64;
            days = days.checked_add(1)?;
        }
        let is_mixed = if days >= 0 { (days > 0 || seconds > 0.0) && months < 0 } else { months > 0 };
        (!is_mixed).then_some(Self { months, days, seconds })
    }

    pub fn text(self) -> String {
        let is_negative = self.days < 0 || self.months < 0;
        let forth = if self.days < 0 { Self { months: 0, ..self }.negative() } else { self };
        let months = self.months.unsigned_abs();
        let (mut seconds, mut parts) = (
            forth.seconds.floor() as i64,
            ((forth.seconds - forth.seconds.floor()) * 1e9 + 0.5).floor() as i64,
        );
        if parts >= 1_000_000_000 {
            (seconds, parts) = (seconds + 1, 0);
        }
        let mut text = if is_negative { "-P" } else { "P" }.to_owned();
        let mut add = |number: u64, unit: char| {
            if number != 0 {
                text.push_str(&format!("{number}{unit}"));
            }
        };
        add(months / 12, 'Y');
        add(months % 12, 'M');
        add(forth.days.unsigned_abs(), 'D');
        if seconds > 0 || parts > 0 {
            text.push('T');
            let mut add = |number: i64, unit: char| {
                if number != 0 {
                    text.push_str(&format!("{number}{unit}"));
                }
            };
            add(seconds / 3600, 'H');
            add(seconds % 3600 / 60, 'M');
            if parts == 0 {
                add(seconds % 60, 'S');
            } else {
                let parts = format!("{parts:09}");
                text.push_str(&format!("{}.{}S", seconds % 60, parts.trim_end_matches('0')));
            }
        }
        if text.ends_with('P') { "P0D".to_owned() } else { text }
    }
}
