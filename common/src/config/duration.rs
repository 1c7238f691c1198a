//! Durations as people write them in manifests: Go's `1h5m`, `300ms`, and ISO 8601's `PT0.2S`.

use std::{fmt, ops::Deref};

use super::Parse;

/// A span of time, never negative, in Go's syntax (`1h5m`, `1.5s`, `300ms`) or ISO 8601's (`PT2S`, `P1DT12H`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd)]
pub struct Duration(pub std::time::Duration);

impl Duration {
    /// A whole number of seconds.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(std::time::Duration::from_secs(seconds))
    }
}

impl Parse for Duration {
    const FORMAT: &'static str = "duration";
    const EXPECTED: &'static str = "a duration such as 300ms, 1h5m or PT2S";

    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let seconds = match text.strip_prefix('P') {
            Some(iso) => iso_seconds(iso),
            None => go_seconds(text),
        };
        seconds
            .and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok())
            .map(|duration| {
                Self(std::time::Duration::from_nanos(duration.as_nanos().min(u64::MAX.into()) as u64))
            })
            .ok_or_else(|| format!("must be {}", Self::EXPECTED))
    }
}

/// Reads pairs of number and unit; every unit may stand once more in Go, so order is not looked at.
fn sum(mut text: &str, unit_seconds: impl Fn(&str) -> Option<f64>) -> Option<f64> {
    let mut total = 0.0;
    while !text.is_empty() {
        let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',')?;
        let (number, rest) = text.split_at(number_end);
        let unit_end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let (unit, rest) = rest.split_at(unit_end);
        total += number.replace(',', ".").parse::<f64>().ok()? * unit_seconds(unit)?;
        text = rest;
    }
    Some(total)
}

fn go_seconds(text: &str) -> Option<f64> {
    if text == "0" {
        return Some(0.0);
    }
    if text.is_empty() {
        return None;
    }
    sum(text, |unit| match unit {
        "ns" => Some(1e-9),
        "us" | "µs" | "μs" => Some(1e-6),
        "ms" => Some(1e-3),
        "s" => Some(1.0),
        "m" => Some(60.0),
        "h" => Some(3600.0),
        _ => None,
    })
}

fn iso_seconds(text: &str) -> Option<f64> {
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    if date.is_empty() && time.is_none_or(str::is_empty) {
        return None;
    }
    let date = sum(date, |unit| match unit {
        "D" => Some(86_400.0),
        "W" => Some(604_800.0),
        _ => None,
    })?;
    let time = sum(time.unwrap_or_default(), |unit| match unit {
        "H" => Some(3600.0),
        "M" => Some(60.0),
        "S" => Some(1.0),
        _ => None,
    })?;
    Some(date + time)
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        if millis.is_multiple_of(1000) { write!(f, "{}s", millis / 1000) } else { write!(f, "{millis}ms") }
    }
}

impl Deref for Duration {
    type Target = std::time::Duration;
    fn deref(&self) -> &std::time::Duration {
        &self.0
    }
}

crate::config_type!(Duration);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_go_and_iso() {
        for (text, millis) in [
            ("0", 0),
            ("300ms", 300),
            ("1h5m", 3_900_000),
            ("1.5s", 1500),
            ("PT2S", 2000),
            ("PT0.2S", 200),
            ("P1DT12H", 129_600_000),
            ("PT1M30S", 90_000),
        ] {
            assert_eq!(Duration::parse(text).map(|d| d.0.as_millis()), Ok(millis), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in ["", "5", "-1s", "1x", "P", "PT", "s", "1s2", "PTS", "99999999999999999999999999999h9e9"]
        {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
    }
}
