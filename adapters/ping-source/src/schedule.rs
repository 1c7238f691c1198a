//! When the next event is due: cron by the wall clock of a time zone, through its shifts.
//!
//! A schedule that names hours means the wall clock: what a shift skips comes once, at the shift; what a shift repeats
//! comes once, the first time. A schedule for every hour means elapsed time: it comes whenever the wall clock matches,
//! in the repeated hour too, and what is skipped is not made up.

mod fields;
#[cfg(test)]
mod tests;

use std::fmt;

use common::config::{Duration, Parse};
use croner::Cron;
use jiff::{
    Timestamp,
    civil::{self, DateTime},
    tz::{AmbiguousOffset, TimeZone},
};

const NICKNAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// A schedule.
#[derive(Debug, Clone)]
pub struct Schedule {
    text: String,
    rule: Rule,
}

#[derive(Debug, Clone)]
enum Rule {
    /// Whenever the Unix time is a multiple of so many seconds.
    Every(i64),
    Cron {
        cron: Box<Cron>,
        /// Whether it comes in every hour of the day.
        hourly: bool,
    },
}

impl Schedule {
    /// The first time after the given one at which it is due; `None` when that never comes.
    pub fn next(&self, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
        match &self.rule {
            Rule::Every(seconds) => {
                let periods = after.as_second().div_euclid(*seconds);
                Timestamp::from_second(periods.checked_add(1)?.checked_mul(*seconds)?).ok()
            }
            Rule::Cron { cron, hourly: false } => by_wall_clock(cron, zone, after),
            Rule::Cron { cron, hourly: true } => by_elapsed_time(cron, zone, after),
        }
    }
}

/// The next matching time of the wall clock alone.
fn following(cron: &Cron, wall: DateTime, inclusive: bool) -> Option<DateTime> {
    cron.find_next_occurrence(&wall, inclusive).ok()
}

/// Every wall time is one instant: a repeated one its first, a skipped one the shift.
fn by_wall_clock(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let mut wall = zone.to_datetime(after);
    loop {
        wall = following(cron, wall, false)?;
        let due = match zone.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(wall).ok()?,
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(wall).ok()?,
            // Read as if the clock had not been put forward, a skipped time lies behind the shift.
            AmbiguousOffset::Gap { before, .. } => shift_until(zone, before.to_timestamp(wall).ok()?)?,
        };
        if due > after {
            return Some(due);
        }
    }
}

/// Every instant whose wall time matches.
fn by_elapsed_time(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let wall = zone.to_datetime(after);
    let ahead = matching(cron, zone, after, wall, false);
    // Before the clock is put back, the times that it is put back to are ahead as well.
    if let AmbiguousOffset::Fold { before, after: later } = zone.to_ambiguous_timestamp(wall).offset()
        && before.to_timestamp(wall).ok()? == after
    {
        let back = zone.to_datetime(shift_until(zone, later.to_timestamp(wall).ok()?)?);
        let again = matching(cron, zone, after, back, true);
        return [ahead, again].into_iter().flatten().min();
    }
    ahead
}

/// The first instant after the given one whose wall time matches and comes behind `wall`.
fn matching(
    cron: &Cron,
    zone: &TimeZone,
    after: Timestamp,
    mut wall: DateTime,
    mut inclusive: bool,
) -> Option<Timestamp> {
    loop {
        wall = following(cron, wall, inclusive)?;
        inclusive = false;
        let instants = match zone.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } => [Some(offset), None],
            AmbiguousOffset::Fold { before, after } => [Some(before), Some(after)],
            AmbiguousOffset::Gap { .. } => [None, None],
        };
        let due = instants.into_iter().flatten().filter_map(|offset| offset.to_timestamp(wall).ok());
        if let Some(due) = due.filter(|due| *due > after).min() {
            return Some(due);
        }
    }
}

/// The last shift of the zone's clock up to an instant.
fn shift_until(zone: &TimeZone, instant: Timestamp) -> Option<Timestamp> {
    let behind = Timestamp::from_second(instant.as_second() + 1).ok()?;
    zone.preceding(behind).next().map(|shift| shift.timestamp())
}

impl Default for Schedule {
    fn default() -> Self {
        // Known to be right; an interval stands in for what cannot be.
        Self::parse("* * * * *").unwrap_or(Self { text: "@every 1m".to_owned(), rule: Rule::Every(60) })
    }
}

impl Parse for Schedule {
    const FORMAT: &'static str = "cron";
    const EXPECTED: &'static str = "a cron expression";

    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.starts_with("TZ=") || text.starts_with("CRON_TZ=") {
            return Err("must not hold a time zone: that is PING_TIMEZONE".to_owned());
        }
        let rule = match text.strip_prefix("@every ") {
            Some(period) => every(period)?,
            None => cron(text)?,
        };
        Ok(Self { text: text.to_owned(), rule })
    }
}

fn every(period: &str) -> Result<Rule, String> {
    let period = Duration::parse(period)?;
    let seconds = i64::try_from(period.as_secs()).unwrap_or(i64::MAX);
    if seconds == 0 || period.subsec_nanos() != 0 {
        return Err("must have whole seconds behind @every, at least one".to_owned());
    }
    Ok(Rule::Every(seconds))
}

fn cron(text: &str) -> Result<Rule, String> {
    let named = NICKNAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    let expression = match named {
        Some((_, expression)) => expression,
        None if text.starts_with('@') => {
            let names = NICKNAMES.map(|(name, _)| name).join(", ");
            return Err(format!("must be cron fields, @every and a duration, or one of {names}"));
        }
        None => text,
    };
    let cron = fields::parse(expression)?;
    if following(&cron, civil::date(2000, 1, 1).at(0, 0, 0, 0), true).is_none() {
        return Err("names a date that never comes".to_owned());
    }
    let hourly = (0..24).all(|hour| cron.pattern.hour_match(hour).unwrap_or(false));
    Ok(Rule::Cron { cron: Box::new(cron), hourly })
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

common::config_type!(Schedule);
