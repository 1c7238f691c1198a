//! The attribute names that events usually carry, with their HTTP headers, so that neither is allocated or parsed.

use http::{HeaderName, header::CONTENT_TYPE};

use crate::Text;

/// A well-known attribute and the header that carries it in binary mode.
pub(crate) struct Known {
    /// The attribute's name.
    pub(crate) attribute: &'static str,
    /// `ce-<name>`, or `content-type` for `datacontenttype`.
    pub(crate) header: HeaderName,
}

macro_rules! known {
    ($($name:literal),* $(,)?) => {
        [
            Known { attribute: "datacontenttype", header: CONTENT_TYPE },
            $(Known { attribute: $name, header: HeaderName::from_static(concat!("ce-", $name)) },)*
        ]
    };
}

/// Core attributes first, then the documented extensions and those that Knative adds on the way.
static KNOWN: [Known; 19] = known![
    "id",
    "source",
    "type",
    "specversion",
    "time",
    "subject",
    "dataschema",
    "traceparent",
    "tracestate",
    "partitionkey",
    "sequence",
    "category",
    "correlationid",
    "dataref",
    "knativearrivaltime",
    "knativeerrorcode",
    "knativeerrordata",
    "knativeerrordest",
];

/// Looks a name up among the well-known ones.
pub(crate) fn known(attribute: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.attribute == attribute)
}

/// The name as text, without an allocation when it is well known.
pub(crate) fn text(attribute: &str) -> Text {
    known(attribute).map_or_else(|| Text::from(attribute), |known| Text::from_static(known.attribute))
}
