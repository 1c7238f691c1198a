//! What the specification forbids in names and values (CloudEvents 1.0.2, sections 3, 3.1 and 3.2).

use std::fmt::{self, Write as _};

use crate::Text;

/// Attributes that one event may have. The specification knows no limit; far more than any header section carries,
/// it keeps a hostile event from costing more than its size.
pub(crate) const MAX_ATTRIBUTES: usize = 256;

/// Characters of the longest name (the specification recommends 20).
const MAX_NAME: usize = 128;

/// The rule of the CloudEvents specification that an event breaks.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvalidEvent {
    /// A required attribute is absent.
    #[error("attribute '{0}' is missing")]
    Missing(&'static str),
    /// An attribute stands twice.
    #[error("attribute '{}' stands twice", Short(.0))]
    Duplicate(Text),
    /// A version other than 1.0.
    #[error("specversion '{}' is not supported: it must be 1.0", Short(.0))]
    SpecVersion(Text),
    /// A name outside `[a-z0-9]+`, one that is reserved, or one that is too long.
    #[error("'{}' is no attribute name: names are at most {MAX_NAME} lower-case letters and digits, and not 'data'", Short(.0))]
    Name(Text),
    /// More attributes than an event may have here.
    #[error("more than {MAX_ATTRIBUTES} attributes")]
    TooMany,
    /// A value that is empty where it must not be, of the wrong form, or with control characters.
    #[error("attribute '{}' {problem}", Short(.name))]
    Value {
        /// The attribute.
        name: Text,
        /// What is wrong with it, as the end of a sentence.
        problem: &'static str,
    },
}

/// Foreign text in a message: its beginning, with control characters escaped.
pub(crate) struct Short<'a>(pub(crate) &'a str);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 40;
        for c in self.0.chars().take(SHOWN) {
            if c.is_control() {
                write!(f, "{}", c.escape_unicode())?;
            } else {
                f.write_char(c)?;
            }
        }
        if self.0.chars().nth(SHOWN).is_some() {
            f.write_char('…')?;
        }
        Ok(())
    }
}

/// Checks one attribute, name and value.
pub(crate) fn attribute(name: &str, value: &str) -> Result<(), InvalidEvent> {
    self::name(name)?;
    let problem = match name {
        _ if has_forbidden(value) => Some("holds a control character or a noncharacter"),
        "id" | "source" | "type" | "subject" | "datacontenttype" | "dataschema" if value.is_empty() => {
            Some("is empty")
        }
        "datacontenttype" if !is_media_type(value) => Some("is not a media type"),
        "time" if chrono::DateTime::parse_from_rfc3339(value).is_err() => {
            Some("is not an RFC 3339 timestamp")
        }
        "dataschema" if !is_absolute_uri(value) => Some("is not an absolute URI"),
        _ => None,
    };
    problem.map_or(Ok(()), |problem| Err(InvalidEvent::Value { name: Text::from(name), problem }))
}

/// Checks a name.
pub(crate) fn name(name: &str) -> Result<(), InvalidEvent> {
    let valid = (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        && !matches!(name, "data" | "specversion");
    if valid { Ok(()) } else { Err(InvalidEvent::Name(Text::from(name))) }
}

/// Characters that a String attribute must not hold (section 3.1): control characters and noncharacters.
fn has_forbidden(value: &str) -> bool {
    let forbidden = |c: char| {
        let code = u32::from(c);
        c.is_control() || (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE
    };
    let printable = value.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    !printable && value.chars().any(forbidden)
}

/// RFC 2046 and RFC 9110, section 8.3: type and subtype are tokens; what follows is left to who reads the data, as
/// long as it is ASCII (no header could carry it otherwise).
fn is_media_type(value: &str) -> bool {
    let essence = value.split(';').next().unwrap_or_default().trim();
    let token = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    };
    value.is_ascii() && essence.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

fn is_absolute_uri(value: &str) -> bool {
    value.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
            && !rest.is_empty()
    })
}
