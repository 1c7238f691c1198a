//! Periods of time as the old brokers took them: ISO 8601 (`PT2.5S`, `P1DT1H`) or Go's form (`1m30s`, `100ms`).

use std::time::Duration;

/// The longest period that is taken, a year; what is longer is a mistake in writing.
const LONGEST: f64 = 366.0 * 86_400.0;

/// Reads a period in either form.
///
/// # Errors
/// When the text is neither, is negative or longer than a year. Months and years of ISO 8601 have no fixed length
/// and are refused.
pub fn parse(text: &str) -> Result<Duration, InvalidPeriod> {
    let text = text.trim();
    let seconds = match text.strip_prefix(['P', 'p']) {
        Some(rest) => iso(rest),
        None => go(text),
    };
    match seconds {
        Some(seconds) if (0.0..=LONGEST).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err(InvalidPeriod(text.chars().take(40).collect())),
    }
}

/// A text that is no period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a period of time: expected ISO 8601 as in PT2S or PT0.5S, or 2s, 500ms, 1m30s")]
pub struct InvalidPeriod(String);

/// What follows the `P`: weeks or days, then a `T` and hours, minutes, seconds, each at most once and in this order.
fn iso(text: &str) -> Option<f64> {
    let (days, time) = match text.split_once(['T', 't']) {
        Some((_, "")) => return None,
        Some((days, time)) => (days, time),
        None => (text, ""),
    };
    if days.is_empty() && time.is_empty() {
        return None;
    }
    let sum = |text: &str, units: &[(char, f64)]| {
        let mut units = units.iter();
        let mut rest = text;
        let mut total = 0.0;
        while !rest.is_empty() {
            let (number, unit, after) = part(rest)?;
            let mut letters = unit.chars();
            let letter = letters.next()?.to_ascii_uppercase();
            if letters.next().is_some() {
                return None;
            }
            total += number * units.find(|(known, _)| *known == letter)?.1;
            rest = after;
        }
        Some(total)
    };
    let days = sum(days, &[('W', 604_800.0), ('D', 86_400.0)])?;
    Some(days + sum(time, &[('H', 3600.0), ('M', 60.0), ('S', 1.0)])?)
}

fn go(text: &str) -> Option<f64> {
    if text == "0" {
        return Some(0.0);
    }
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let (number, unit, after) = part(rest)?;
        total += number
            * match unit {
                "ns" => 1e-9,
                "us" | "µs" | "μs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return None,
            };
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

/// Splits off a number, the unit behind it and the rest.
fn part(text: &str) -> Option<(f64, &str, &str)> {
    let digits = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    let (number, rest) = text.split_at(text.find(|c| !digits(c))?);
    let (unit, rest) = rest.split_at(rest.find(digits).unwrap_or(rest.len()));
    let first = number.starts_with(|c: char| c.is_ascii_digit());
    let number = number.replace(',', ".").parse().ok()?;
    // ISO 8601 writes its parts without a separator, so a unit of several letters holds the next unit's number
    // only after digits; what is left over is found by the caller as an unknown unit.
    first.then_some((number, unit, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms() {
        let table = [
            ("PT2S", 2_000),
            ("PT0.2S", 200),
            ("PT0,25S", 250),
            ("PT0S", 0),
            ("P1D", 86_400_000),
            ("P1W", 604_800_000),
            ("P1DT1H1M1S", 90_061_000),
            ("pt5s", 5_000),
            ("PT1M", 60_000),
            ("100ms", 100),
            ("1m30s", 90_000),
            ("1.5h", 5_400_000),
            ("250us", 0),
            ("0", 0),
            (" 5s ", 5_000),
        ];
        for (text, milliseconds) in table {
            assert_eq!(parse(text).map(|d| d.as_millis()), Ok(milliseconds), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_neither() {
        for text in [
            "",
            "P",
            "PT",
            "PTS",
            "P1Y",
            "P1M",
            "PT1S1M",
            "PT1S1S",
            "5",
            "s",
            "-5s",
            "PT-5S",
            "1 s",
            "1e3s",
            ".s",
            "PT.5S",
            "1..2s",
            "PT99999999999999S",
            "P1S",
            "PT1D",
            "five",
            "1sm",
            "P1DT",
            "PT1HS",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
