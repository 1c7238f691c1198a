//! What a person reads of a test.

use std::fmt::Write as _;
use std::path::Path;

use pretty::Visible;
use serde_json::Value as Json;

use super::case::{Case, Expected};
use super::compare::{Difference, Field};
use super::flow::{Arrival, Flow};
use crate::style::Palette;

/// Longer values are cut.
const VALUE_BYTES: usize = 2000;

/// A line for a test that passed; for one that failed what is different, too.
pub fn case(
    case: &Case,
    flow: &Flow,
    differences: &[Difference<'_>],
    file: &Path,
    palette: Palette,
) -> String {
    let name = visible(&case.name);
    if differences.is_empty() {
        return format!("  {}  {name}\n", palette.good("ok  "));
    }
    let place = palette.dim(&format!("{}:{}:{}", file.display(), case.at.line, case.at.column));
    let mut text = format!("  {}  {name}  {place}\n", palette.bad("FAIL"));
    for difference in differences {
        match difference {
            Difference::Other { expected, arrival, fields } => {
                let _ = writeln!(text, "    at {}{}:", visible(&expected.label), by(arrival));
                fields.iter().for_each(|field| add(&mut text, field, palette));
            }
            Difference::Missing(expected) => {
                let _ = writeln!(
                    text,
                    "    nothing arrived at {}{} (line {})",
                    visible(&expected.label),
                    wanted(expected),
                    expected.at.line
                );
                for (name, value) in &expected.event {
                    let (path, expected) = (name.clone(), Some(value.clone()));
                    add(&mut text, &Field { path, expected, found: None }, palette);
                }
            }
            Difference::Surplus(arrival) => {
                let _ = writeln!(text, "    at {}{}, not expected:", visible(&arrival.label), by(arrival));
                for (name, value) in arrival.event.attributes() {
                    let (path, found) = (name.as_str().to_owned(), Some(value.as_str().into()));
                    add(&mut text, &Field { path, expected: None, found }, palette);
                }
            }
        }
    }
    for note in &flow.notes {
        let _ = writeln!(text, "    {} {}", palette.dim("note:"), visible(note));
    }
    text
}

/// The expected value above the one that was found.
fn add(text: &mut String, field: &Field, palette: Palette) {
    let line = |sign: &str, value: &Json| {
        format!("      {sign} {}: {}", visible(&field.path), visible(&value.to_string()))
    };
    if let Some(value) = &field.expected {
        let value = if value.is_null() {
            "      - absent: ".to_owned() + &visible(&field.path)
        } else {
            line("-", value)
        };
        text.push_str(&palette.bad(&value));
        text.push('\n');
    }
    if let Some(value) = &field.found {
        text.push_str(&palette.good(&line("+", value)));
        text.push('\n');
    }
}

fn by(arrival: &Arrival) -> String {
    arrival.trigger.as_ref().map(|trigger| format!(" (trigger {})", visible(trigger))).unwrap_or_default()
}

fn wanted(expected: &Expected) -> String {
    expected.trigger.as_ref().map(|trigger| format!(" by trigger {}", visible(trigger))).unwrap_or_default()
}

fn visible(text: &str) -> String {
    Visible::line(text, VALUE_BYTES)
}
