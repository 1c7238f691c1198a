//! Maps in one variable: `name:value,name:value`, as the old controller wrote them.

use std::fmt;

use super::Parse;

/// Pairs of name and value in one line, `X-A:1,X-B:2`.
///
/// A value may hold colons and commas: a piece whose part before the colon is no header name (RFC 9110, section 5.1)
/// belongs to the value before it, so that `Accept:a, b` and dates keep their meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs(pub Vec<(String, String)>);

impl Parse for Pairs {
    const FORMAT: &'static str = "pairs";
    const EXPECTED: &'static str = "pairs name:value, separated by commas";

    fn parse(text: &str) -> Result<Self, String> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for piece in text.split(',') {
            match piece.split_once(':') {
                Some((name, value)) if is_token(name.trim()) => {
                    pairs.push((name.trim().to_owned(), value.trim().to_owned()));
                }
                _ => match pairs.last_mut() {
                    Some((_, value)) => {
                        value.push(',');
                        value.push_str(piece);
                    }
                    None if piece.trim().is_empty() => {}
                    None => return Err(format!("must be {}", Self::EXPECTED)),
                },
            }
        }
        Ok(Self(pairs))
    }
}

fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

impl fmt::Display for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            write!(f, "{}{name}:{value}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

crate::config_type!(Pairs);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_hold_colons_and_commas() {
        let text = "Accept:text/html, application/json,Date:Mon, 02 Jan 2006 15:04:05 GMT,X-Url:http://h:1/a";
        let pairs = Pairs::parse(text).expect("valid").0;
        let expected = [
            ("Accept", "text/html, application/json"),
            ("Date", "Mon, 02 Jan 2006 15:04:05 GMT"),
            ("X-Url", "http://h:1/a"),
        ];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(Pairs::parse("novalue").is_err());
    }
}
