//! The functions that an expression may call, by name and number of arguments: those of XPath 1.0 (section 4), of XSLT 1.0
//! (section 12), and of EXSLT (exslt.org).

use std::ops::RangeInclusive;

use crate::tree::{Name, Text};

pub const COMMON: &str = "http://exslt.org/common";
pub const MATH: &str = "http://exslt.org/math";
pub const SETS: &str = "http://exslt.org/sets";
pub const STRINGS: &str = "http://exslt.org/strings";
pub const DATES: &str = "http://exslt.org/dates-and-times";
const ANY: usize = usize::MAX;

/// Namespace, name, fewest and most arguments.
const FUNCTIONS: &[(&str, &str, RangeInclusive<usize>)] = &[
    ("", "last", 0..=0),
    ("", "position", 0..=0),
    ("", "count", 1..=1),
    ("", "id", 1..=1),
    ("", "local-name", 0..=1),
    ("", "namespace-uri", 0..=1),
    ("", "name", 0..=1),
    ("", "string", 0..=1),
    ("", "concat", 2..=ANY),
    ("", "starts-with", 2..=2),
    ("", "contains", 2..=2),
    ("", "substring-before", 2..=2),
    ("", "substring-after", 2..=2),
    ("", "substring", 2..=3),
    ("", "string-length", 0..=1),
    ("", "normalize-space", 0..=1),
    ("", "translate", 3..=3),
    ("", "boolean", 1..=1),
    ("", "not", 1..=1),
    ("", "true", 0..=0),
    ("", "false", 0..=0),
    ("", "lang", 1..=1),
    ("", "number", 0..=1),
    ("", "sum", 1..=1),
    ("", "floor", 1..=1),
    ("", "ceiling", 1..=1),
    ("", "round", 1..=1),
    ("", "document", 1..=2),
    ("", "key", 2..=2),
    ("", "format-number", 2..=3),
    ("", "current", 0..=0),
    ("", "unparsed-entity-uri", 1..=1),
    ("", "generate-id", 0..=1),
    ("", "system-property", 1..=1),
    ("", "element-available", 1..=1),
    ("", "function-available", 1..=1),
    (COMMON, "node-set", 1..=1),
    (COMMON, "object-type", 1..=1),
    (MATH, "max", 1..=1),
    (MATH, "min", 1..=1),
    (MATH, "highest", 1..=1),
    (MATH, "lowest", 1..=1),
    (MATH, "abs", 1..=1),
    (MATH, "sqrt", 1..=1),
    (MATH, "power", 2..=2),
    (MATH, "log", 1..=1),
    (MATH, "exp", 1..=1),
    (MATH, "sin", 1..=1),
    (MATH, "cos", 1..=1),
    (MATH, "tan", 1..=1),
    (MATH, "asin", 1..=1),
    (MATH, "acos", 1..=1),
    (MATH, "atan", 1..=1),
    (MATH, "atan2", 2..=2),
    (SETS, "distinct", 1..=1),
    (SETS, "difference", 2..=2),
    (SETS, "intersection", 2..=2),
    (SETS, "has-same-node", 2..=2),
    (SETS, "leading", 2..=2),
    (SETS, "trailing", 2..=2),
    (STRINGS, "tokenize", 1..=2),
    (STRINGS, "split", 1..=2),
    (STRINGS, "replace", 3..=3),
    (STRINGS, "padding", 1..=2),
    (STRINGS, "align", 2..=3),
    (STRINGS, "concat", 1..=1),
    (STRINGS, "encode-uri", 2..=3),
    (STRINGS, "decode-uri", 1..=2),
    (DATES, "date-time", 0..=0),
    (DATES, "add", 2..=2),
    (DATES, "add-duration", 2..=2),
    (DATES, "difference", 2..=2),
    (DATES, "sum", 1..=1),
    (DATES, "date", 0..=1),
    (DATES, "time", 0..=1),
    (DATES, "year", 0..=1),
    (DATES, "leap-year", 0..=1),
    (DATES, "month-in-year", 0..=1),
    (DATES, "month-name", 0..=1),
    (DATES, "month-abbreviation", 0..=1),
    (DATES, "week-in-month", 0..=1),
    (DATES, "week-in-year", 0..=1),
    (DATES, "day-in-year", 0..=1),
    (DATES, "day-in-month", 0..=1),
    (DATES, "day-of-week-in-month", 0..=1),
    (DATES, "day-in-week", 0..=1),
    (DATES, "day-name", 0..=1),
    (DATES, "day-abbreviation", 0..=1),
    (DATES, "hour-in-day", 0..=1),
    (DATES, "minute-in-hour", 0..=1),
    (DATES, "second-in-minute", 0..=1),
    (DATES, "seconds", 0..=1),
    (DATES, "duration", 0..=1),
];

/// Whether there is a function of this name.
pub fn known(uri: &str, local: &str) -> bool {
    FUNCTIONS.iter().any(|(of, name, _)| *of == uri && *name == local)
}

/// Refuses a call that cannot be right. A function of another namespace may be the stylesheet's own.
pub fn check(name: &Name, arguments: usize) -> Result<(), String> {
    let found = FUNCTIONS.iter().find(|(uri, local, _)| name.is(uri, local));
    match found {
        Some((.., range)) if range.contains(&arguments) => Ok(()),
        Some((.., range)) => {
            Err(format!("'{}()' takes {} arguments, not {arguments}", name.qualified(), told(range)))
        }
        None if name.uri.is_empty() || is_exslt(&name.uri) => {
            Err(format!("'{}()' is no function", name.qualified()))
        }
        None => Ok(()),
    }
}

fn told(range: &RangeInclusive<usize>) -> String {
    match (*range.start(), *range.end()) {
        (low, ANY) => format!("at least {low}"),
        (low, high) if low == high => low.to_string(),
        (low, high) => format!("{low} to {high}"),
    }
}

fn is_exslt(uri: &Text) -> bool {
    // Functions of a stylesheet's own may be in the namespace of what defines them.
    uri.starts_with("http://exslt.org/") && !uri.ends_with("/functions")
}

/// Rounds as XPath does: halves go up.
pub fn round(number: f64) -> f64 {
    if number.is_nan() || number.is_infinite() { number } else { (number + 0.5).floor() }
}
