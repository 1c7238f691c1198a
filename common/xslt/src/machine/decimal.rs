//! Writing a number by a pattern (XSLT 1.0, section 12.3, and `DecimalFormat` of JDK 1.1, which it refers to).

use super::numbering::grouped;
use crate::style::DecimalFormat;

/// The most digits of a pattern that count.
const MAX_DIGITS: usize = 40;

/// One half of a pattern.
#[derive(Default)]
struct Half {
    prefix: String,
    suffix: String,
    whole: usize,
    group: usize,
    least: usize,
    most: usize,
    factor: f64,
    /// Whether a point stands there, digits behind it or none.
    point: bool,
}

fn half(pattern: &str, format: &DecimalFormat) -> Half {
    let mut half = Half { factor: 1.0, ..Half::default() };
    let (mut in_number, mut in_fraction, mut after_group) = (false, false, None);
    let mut has_whole = false;
    let mut letters = pattern.chars();
    while let Some(c) = letters.next() {
        // What is behind an apostrophe means nothing.
        if c == '\'' {
            let text = if in_number { &mut half.suffix } else { &mut half.prefix };
            text.extend(letters.next());
            continue;
        }
        let special = c == format.digit || c == format.zero || c == format.decimal || c == format.grouping;
        if special && half.suffix.is_empty() {
            in_number = true;
            if c == format.decimal {
                in_fraction = true;
                half.point = true;
            } else if c == format.grouping {
                after_group = (!in_fraction).then_some(0);
            } else if in_fraction {
                half.most += 1;
                half.least += usize::from(c == format.zero);
            } else {
                has_whole = true;
                half.whole += usize::from(c == format.zero);
                after_group = after_group.map(|count| count + 1);
            }
            continue;
        }
        if c == format.percent {
            half.factor = 100.0;
        } else if c == format.per_mille {
            half.factor = 1000.0;
        }
        if in_number { half.suffix.push(c) } else { half.prefix.push(c) }
    }
    half.group = after_group.unwrap_or(0);
    // As in Java, '.#' is like '.0'.
    if !has_whole && half.least == 0 {
        half.least = 1;
    }
    half.most = half.most.min(MAX_DIGITS);
    half.least = half.least.min(half.most);
    half.whole = half.whole.min(MAX_DIGITS);
    half
}

/// A number as a pattern says.
pub fn formatted(number: f64, pattern: &str, format: &DecimalFormat) -> String {
    if number.is_nan() {
        return format.nan.clone();
    }
    let (positive, negative) =
        pattern.split_once(format.separator).map_or((pattern, None), |(p, n)| (p, Some(n)));
    let positive = half(positive, format);
    let is_negative = number < 0.0;
    let (prefix, suffix) = match negative.filter(|_| is_negative).map(|negative| half(negative, format)) {
        Some(half) => (half.prefix, half.suffix),
        None if is_negative => (format!("{}{}", format.minus, positive.prefix), positive.suffix.clone()),
        None => (positive.prefix.clone(), positive.suffix.clone()),
    };
    if number.is_infinite() {
        return format!("{prefix}{}{suffix}", format.infinity);
    }
    let scale = 10_f64.powi(positive.most as i32);
    let size = number.abs() * positive.factor;
    let rounded = (size * scale + 0.5).floor() / scale;
    let size = if rounded.is_finite() { rounded } else { size };
    let digits = format!("{size:.*}", positive.most);
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let mut fraction = fraction.to_owned();
    while fraction.len() > positive.least && fraction.ends_with('0') {
        fraction.pop();
    }
    let whole = whole.trim_start_matches('0');
    let width = if positive.least == 0 { positive.whole.max(1) } else { positive.whole };
    let whole = grouped(&format!("{whole:0>width$}"), &format.grouping.to_string(), positive.group);
    let has_point = !fraction.is_empty() || (positive.point && positive.most == 0);
    let point = if has_point { format.decimal.to_string() } else { String::new() };
    let own = |digits: &str| -> String {
        let zero = u32::from(format.zero);
        let digit = |c: char| c.to_digit(10).and_then(|digit| char::from_u32(zero + digit)).unwrap_or(c);
        digits.chars().map(digit).collect()
    };
    format!("{prefix}{}{point}{}{suffix}", own(&whole), own(&fraction))
}
