//! Filters of triggers, compiled once: exact, prefix, suffix, all, any, not and cesql.
//!
//! Meaning as in Knative's subscriptions API: attributes are compared as text and letter case counts, a missing
//! attribute never matches, and the payload is never looked at.

mod index;
mod read;

#[cfg(test)]
mod tests;

use common::Event;

pub use index::Index;
pub(crate) use read::read;

/// A compiled filter.
#[derive(Debug)]
pub enum Filter {
    /// Every named attribute is there and equal.
    Exact(Pairs),
    /// Every named attribute is there and starts with the text.
    Prefix(Pairs),
    /// Every named attribute is there and ends with the text.
    Suffix(Pairs),
    /// Every nested filter passes.
    All(Vec<Filter>),
    /// At least one nested filter passes.
    Any(Vec<Filter>),
    /// No nested filter passes.
    Not(Vec<Filter>),
    /// The expression is true; an error in its evaluation counts as false.
    Cesql(Box<cesql::Expression>),
}

/// Attribute names with the text each is compared with.
pub type Pairs = Vec<(String, String)>;

/// Attribute values one of which an event must have to pass: what the index looks up.
pub(crate) type Necessary<'a> = Vec<(&'a str, &'a str)>;

impl Filter {
    /// Whether the event passes.
    #[must_use]
    pub fn passes(&self, event: &Event) -> bool {
        let every = |pairs: &Pairs, test: fn(&str, &str) -> bool| {
            pairs.iter().all(|(name, text)| attribute(event, name).is_some_and(|value| test(value, text)))
        };
        match self {
            Self::Exact(pairs) => every(pairs, |value, text| value == text),
            Self::Prefix(pairs) => every(pairs, |value, text| value.starts_with(text)),
            Self::Suffix(pairs) => every(pairs, |value, text| value.ends_with(text)),
            Self::All(filters) => filters.iter().all(|filter| filter.passes(event)),
            Self::Any(filters) => filters.iter().any(|filter| filter.passes(event)),
            Self::Not(filters) => !filters.iter().any(|filter| filter.passes(event)),
            Self::Cesql(expression) => expression.matches(&Attributes(event)),
        }
    }

    /// Every set of attribute values of which an event must have one to pass; empty when there is none that can be
    /// looked up.
    pub(crate) fn necessary(&self) -> Vec<Necessary<'_>> {
        match self {
            Self::Exact(pairs) => pairs
                .iter()
                .filter(|(name, _)| !is_derived(name))
                .map(|(name, text)| vec![(name.as_str(), text.as_str())])
                .collect(),
            Self::All(filters) => filters.iter().flat_map(Self::necessary).collect(),
            Self::Any(filters) => {
                // One set out of each branch: together they are necessary. The smallest of a branch will do.
                let branches: Option<Vec<_>> = filters
                    .iter()
                    .map(|filter| filter.necessary().into_iter().min_by_key(Vec::len))
                    .collect();
                branches.map(|sets| vec![sets.into_iter().flatten().collect()]).unwrap_or_default()
            }
            Self::Prefix(_) | Self::Suffix(_) | Self::Not(_) | Self::Cesql(_) => Vec::new(),
        }
    }
}

/// An event as cesql sees it.
struct Attributes<'a>(&'a Event);

impl cesql::Attributes for Attributes<'_> {
    fn get(&self, name: &str) -> Option<cesql::Value<'_>> {
        self.0.get(name).map(cesql::Value::from)
    }
}

/// The value a filter compares: an attribute, or one of the names that the old brokers derived from attributes.
pub(crate) fn attribute<'a>(event: &'a Event, name: &str) -> Option<&'a str> {
    event.get(name).or_else(|| match name {
        "schemaurl" => event.get("dataschema"),
        "datamediatype" => {
            event.data_content_type().map(|value| value.split(';').next().unwrap_or_default().trim())
        }
        _ => None,
    })
}

fn is_derived(name: &str) -> bool {
    matches!(name, "schemaurl" | "datamediatype")
}
