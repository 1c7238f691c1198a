//! The name of an extension of events.

use std::fmt;

use super::Parse;

/// Attributes of every event, those of older versions of CloudEvents among them, and what structured events hold beside.
const ATTRIBUTES: [&str; 14] = [
    "data",
    "database64",
    "datacontentencoding",
    "datacontenttype",
    "datamediatype",
    "dataschema",
    "extensions",
    "id",
    "schemaurl",
    "source",
    "specversion",
    "subject",
    "time",
    "type",
];

/// The name of an extension, in lower case however it was written; the name of an attribute is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension(String);

impl Extension {
    /// As events have it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Parse for Extension {
    const FORMAT: &'static str = "extension";
    const EXPECTED: &'static str = "the name of an extension: letters and digits";

    fn parse(text: &str) -> Result<Self, String> {
        let name = text.trim().to_ascii_lowercase();
        if ATTRIBUTES.contains(&name.as_str()) {
            return Err(
                "must be the name of an extension, not of an attribute that every event may have".to_owned()
            );
        }
        if !crate::event::is_attribute_name(&name) {
            return Err(format!("must be {}", Self::EXPECTED));
        }
        Ok(Self(name))
    }
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

crate::config_type!(Extension);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_attributes_are_refused() {
        for name in ATTRIBUTES.iter().chain(&["ID", "Type", "DataContentType"]) {
            let problem = Extension::parse(name).expect_err(name);
            assert!(problem.ends_with("not of an attribute that every event may have"), "{name}: {problem}");
        }
    }

    #[test]
    fn names_are_letters_and_digits() {
        for (text, name) in
            [("correlationid", "correlationid"), (" CorrelationID ", "correlationid"), ("k1", "k1")]
        {
            assert_eq!(Extension::parse(text).map(|name| name.to_string()).as_deref(), Ok(name));
        }
        for text in ["", "correlation_id", "correlation-id", "correlation id", "ключ", "a.b", "data_base64"]
        {
            assert_eq!(
                Extension::parse(text),
                Err("must be the name of an extension: letters and digits".to_owned()),
                "{text}"
            );
        }
    }
}
