//! The fields of a cron expression, read so that a mistake is told by its place.

use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// One field.
struct Field {
    name: &'static str,
    /// What it may hold beside `*`, lists, ranges and steps.
    values: &'static str,
    names: &'static [&'static str],
    /// Letters behind a value: last day, nearest weekday.
    specials: &'static [char],
}

const FIELDS: [Field; 6] = [
    Field { name: "second", values: "0 to 59", names: &[], specials: &[] },
    Field { name: "minute", values: "0 to 59", names: &[], specials: &[] },
    Field { name: "hour", values: "0 to 23", names: &[], specials: &[] },
    Field { name: "day of month", values: "1 to 31, L, or 1W to 31W", names: &[], specials: &['L', 'W'] },
    Field { name: "month", values: "1 to 12 or JAN to DEC", names: &MONTHS, specials: &[] },
    Field {
        name: "day of week",
        values: "0 to 7 or SUN to SAT, also as FRI#2 or 5L",
        names: &DAYS,
        specials: &['L'],
    },
];

/// Reads an expression of five fields, or of six with seconds first.
///
/// # Errors
/// What is wrong and where, the end of a sentence.
pub fn parse(expression: &str) -> Result<Cron, String> {
    let expression = expression.to_ascii_uppercase();
    let mut given: Vec<String> = expression.split_whitespace().map(|field| field.replace('?', "*")).collect();
    let count = given.len();
    if !(5..=6).contains(&count) {
        return Err(format!("must have 5 fields, or 6 with seconds first: it has {count}"));
    }
    if count == 5 {
        given.insert(0, "0".to_owned());
    }
    let parser =
        CronParser::builder().seconds(Seconds::Required).year(Year::Disallowed).sloppy_ranges(true).build();
    for (index, (field, text)) in FIELDS.iter().zip(&given).enumerate() {
        let alone: Vec<&str> =
            (0..FIELDS.len()).map(|place| if place == index { text } else { "*" }).collect();
        if !field.may_hold(text) || parser.parse(&alone.join(" ")).is_err() {
            let number = index + count - 5;
            let Field { name, values, .. } = field;
            return Err(format!(
                "has a bad {name} (field {number} of {count}): {text:?} is not made of * and {values}, in ranges a-b, \
                 steps /n and lists with commas"
            ));
        }
    }
    parser.parse(&given.join(" ")).map_err(|error| format!("must be a cron expression: {error}"))
}

impl Field {
    /// Whether all names in the text belong to this field, and every step has something to step through; the rest is for
    /// the parser to judge, which knows names in all fields and takes `/5` for `*/5`.
    fn may_hold(&self, text: &str) -> bool {
        let known = |token: &str| {
            let word = token.trim_end_matches(|c| self.specials.contains(&c));
            word.chars().all(|c| c.is_ascii_digit() || c == '*') || self.names.contains(&word)
        };
        text.split(['-', '/', ',', '#']).all(known) && !text.split(',').any(|item| item.starts_with('/'))
    }
}
