//! Checks the text of a variable against what its adapter's schema says of it.

use common::config::{Duration, Extension, Flag, Pairs, Parse as _, Pem, Url};

use super::mistake::suggestion;
use crate::catalogue::Setting;

/// What is wrong with `text`, worded to follow the name of the field: `must be …`. The value itself is not repeated: it may
/// be a secret.
pub fn fault(setting: &Setting, text: &str) -> Option<String> {
    // An empty variable is an absent one.
    if text.is_empty() {
        return None;
    }
    let choices = setting.choices();
    if !choices.is_empty() && !choices.iter().any(|choice| choice == text) {
        let hint = suggestion(text, choices.iter().map(String::as_str)).to_string();
        return Some(format!("must be one of {}{hint}", choices.join(", ")));
    }
    match setting.type_name() {
        Some("boolean") => Flag::parse(text).err(),
        Some("integer") => match text.parse::<i128>() {
            Ok(number) => out_of_range(setting, number as f64),
            Err(_) => Some(format!("must be a whole number{}", range(setting))),
        },
        Some("number") => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => out_of_range(setting, number),
            _ => Some(format!("must be a number{}", range(setting))),
        },
        _ => malformed(setting.format.as_deref()?, text),
    }
}

/// By the types that the adapters themselves read their settings with.
fn malformed(format: &str, text: &str) -> Option<String> {
    match format {
        Duration::FORMAT => Duration::parse(text).err(),
        Extension::FORMAT => Extension::parse(text).err(),
        Pairs::FORMAT => Pairs::parse(text).err(),
        Pem::FORMAT => Pem::parse(text).err(),
        Url::FORMAT => Url::parse(text).err(),
        _ => None,
    }
}

fn out_of_range(setting: &Setting, number: f64) -> Option<String> {
    let below = setting.minimum.is_some_and(|minimum| number < minimum);
    let above = setting.maximum.is_some_and(|maximum| number > maximum);
    (below || above).then(|| format!("must be a number{}", range(setting)))
}

fn range(setting: &Setting) -> String {
    match (setting.minimum, setting.maximum) {
        (Some(minimum), Some(maximum)) => format!(" from {minimum} to {maximum}"),
        (Some(minimum), None) => format!(" of at least {minimum}"),
        (None, Some(maximum)) => format!(" of at most {maximum}"),
        (None, None) => String::new(),
    }
}
