//! Numbers as text: compared by their value and written in plain decimal, exactly and whatever their size.

/// Digits of the longest number in plain decimal; a longer one equals nothing but itself.
const MAX_PLAIN: i64 = 400;

/// A decimal number: `0.digits` times ten to the power of `point`, digits without zeros at either end.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    point: i64,
}

impl Decimal {
    /// Reads a JSON number; `None` when its exponent is beyond reason.
    fn parse(text: &str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let leading = digits.iter().take_while(|digit| **digit == b'0').count();
        let trailing = digits.iter().rev().take_while(|digit| **digit == b'0').count();
        if leading == digits.len() {
            return Some(Self { negative, digits: Vec::new(), point: 0 });
        }
        let point = i64::try_from(whole.len()).ok()? - i64::try_from(leading).ok()? + i64::from(exponent);
        let kept = digits.get(leading..digits.len() - trailing)?.to_vec();
        Some(Self { negative, digits: kept, point })
    }

    fn plain(&self) -> Option<String> {
        let count = i64::try_from(self.digits.len()).ok()?;
        if self.point.abs().max(count) > MAX_PLAIN {
            return None;
        }
        let mut text = String::from(if self.negative { "-" } else { "" });
        let mut digits = self.digits.iter().map(|digit| char::from(*digit));
        if self.point <= 0 {
            text.push('0');
        }
        for _ in 0..self.point {
            text.push(digits.next().unwrap_or('0'));
        }
        let fraction: String = digits.collect();
        if !fraction.is_empty() {
            text.push('.');
            (self.point..0).for_each(|_| text.push('0'));
            text.push_str(&fraction);
        }
        Some(text)
    }
}

/// Whether two JSON numbers have the same value.
pub(crate) fn equal(left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    match (Decimal::parse(left), Decimal::parse(right)) {
        (Some(left), Some(right)) => {
            left.digits == right.digits
                && left.point == right.point
                && (left.negative == right.negative || left.digits.is_empty())
        }
        _ => false,
    }
}

/// The number without an exponent and without superfluous zeros; `None` when that would be very long.
pub(crate) fn plain(text: &str) -> Option<String> {
    Decimal::parse(text)?.plain()
}

/// The whole part of the number in plain decimal; `None` when that would be very long.
pub(crate) fn whole(text: &str) -> Option<String> {
    let plain = plain(text)?;
    let whole = plain.split('.').next().unwrap_or_default();
    Some(if whole == "-0" { "0".to_owned() } else { whole.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_decimal_is_exact() {
        for (text, expected) in [
            ("0", "0"),
            ("-0", "-0"),
            ("1", "1"),
            ("1.0", "1"),
            ("1.50", "1.5"),
            ("100", "100"),
            ("1e6", "1000000"),
            ("1.25E+1", "12.5"),
            ("1e-7", "0.0000001"),
            ("0.001", "0.001"),
            ("-12345678901234567890.5", "-12345678901234567890.5"),
            ("0e999", "0"),
        ] {
            assert_eq!(plain(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(plain("1e1000"), None);
        assert_eq!(plain("1e99999999999"), None);
    }

    #[test]
    fn numbers_are_compared_by_value() {
        for (left, right, expected) in [
            ("1", "1.0", true),
            ("10", "1e1", true),
            ("0", "-0", true),
            ("9007199254740993", "9007199254740992", false),
            ("1", "-1", false),
            ("1e99999999999", "1e99999999999", true),
            ("1e99999999999", "1", false),
        ] {
            assert_eq!(equal(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn the_whole_part_is_cut_off() {
        assert_eq!(whole("1.5").as_deref(), Some("1"));
        assert_eq!(whole("-0.5").as_deref(), Some("0"));
        assert_eq!(whole("12345678901234567890").as_deref(), Some("12345678901234567890"));
    }
}
