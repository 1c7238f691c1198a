//! What the specification forbids in names and values (CloudEvents 1.0.2, sections 3, 3.1 and 3.2).

use crate::Text;

/// The rule of the CloudEvents specification that an event breaks.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvalidEvent {
    /// A required attribute is absent.
    #[error("attribute '{0}' is missing")]
    Missing(&'static str),
    /// An attribute stands twice.
    #[error("attribute '{0}' stands twice")]
    Duplicate(Text),
    /// A version other than 1.0.
    #[error("specversion '{0}' is not supported: it must be 1.0")]
    SpecVersion(Text),
    /// A name outside `[a-z0-9]+`, or one that is reserved.
    #[error("'{0}' is no attribute name: names are lower-case letters and digits, and not 'data'")]
    Name(Text),
    /// A value that is empty where it must not be, of the wrong form, or with control characters.
    #[error("attribute '{name}' {problem}")]
    Value {
        /// The attribute.
        name: Text,
        /// What is wrong with it, as the end of a sentence.
        problem: &'static str,
    },
}

/// Checks one attribute, name and value.
pub(crate) fn attribute(name: &str, value: &str) -> Result<(), InvalidEvent> {
    let named = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        && !matches!(name, "data" | "specversion" | "database64");
    if !named {
        return Err(InvalidEvent::Name(Text::from(name)));
    }
    let problem = match name {
        _ if value.chars().any(forbidden) => Some("holds a control character or a noncharacter"),
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

/// The name as text; the names that every event carries cost no allocation.
pub(crate) fn shared_name(name: &str) -> Text {
    const KNOWN: [&str; 8] =
        ["id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "traceparent"];
    KNOWN.iter().find(|known| **known == name).map_or_else(|| Text::from(name), |known| Text::from_static(known))
}

/// Characters that a String attribute must not hold (section 3.1): control characters and noncharacters.
fn forbidden(c: char) -> bool {
    let code = u32::from(c);
    c.is_control() || (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE
}

fn is_media_type(value: &str) -> bool {
    let essence = value.split(';').next().unwrap_or_default().trim();
    let token = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic() && b != b'/');
    essence.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

fn is_absolute_uri(value: &str) -> bool {
    value.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
            && !rest.is_empty()
    })
}
