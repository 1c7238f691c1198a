//! The environment of the XSLT transformation: the names are those of the original image.

use common::config::{Config, Duration, Flag, Problems};
use schemars::JsonSchema;
use serde::Deserialize;
use xslt::{Limits, Stylesheet};

/// Bytes that one transformation may hold where nothing is set and enough memory is granted.
const MEMORY: usize = 64 << 20;

/// Settings of the XSLT transformation.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct XsltConfig {
    /// The stylesheet for events with XML data, as text (XSLT 1.0).
    #[schemars(extend("multiline" = true))]
    pub xslttransformation_xslt: Option<String>,
    /// Whether an event of type `io.triggermesh.xslt.transform` may bring a stylesheet of its own.
    #[serde(default)]
    pub xslttransformation_allow_xslt_override: Flag,
    /// How long one transformation may take.
    #[serde(default = "default_timeout")]
    pub xslt_timeout: Duration,
    /// Bytes that one transformation may hold, what it makes included. Unset, 64 MiB, but a quarter of the memory that the
    /// container is granted at most.
    #[schemars(range(min = 1_048_576))]
    pub xslt_max_bytes: Option<usize>,
    /// The frame's: with it, answers carry `statefulbridge` and `statefulid`.
    #[schemars(skip)]
    pub events_bridge_identifier: Option<String>,
}

impl Config for XsltConfig {
    fn validate(&self, problems: &mut Problems) {
        match &self.xslttransformation_xslt {
            Some(text) => {
                if let Err(mistake) = Stylesheet::compile(text.as_bytes()) {
                    problems.add("XSLTTRANSFORMATION_XSLT", format_args!("is no stylesheet: {mistake}"));
                }
            }
            None if !self.xslttransformation_allow_xslt_override.0 => problems.add(
                "XSLTTRANSFORMATION_XSLT",
                "is missing, and XSLTTRANSFORMATION_ALLOW_XSLT_OVERRIDE does not let events bring their own",
            ),
            None => {}
        }
        if self.xslt_timeout.is_zero() {
            problems.add("XSLT_TIMEOUT", "must be more than nothing");
        }
    }
}

impl XsltConfig {
    /// How far one transformation may go.
    pub fn limits(&self) -> Limits {
        let memory = self.xslt_max_bytes.unwrap_or_else(|| common::memory::share(MEMORY));
        Limits { time: *self.xslt_timeout, memory, ..Limits::default() }
    }
}

fn default_timeout() -> Duration {
    Duration::seconds(5)
}

#[cfg(test)]
mod tests {
    use common::config::of;

    use super::*;

    const SHEET: &str = r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"/>"#;

    fn problems(settings: &[(&str, &str)]) -> Vec<String> {
        of::<XsltConfig>(settings).map_or_else(|error| error.problems, |_| Vec::new())
    }

    #[test]
    fn a_stylesheet_or_leave_to_bring_one_is_needed() {
        assert_eq!(problems(&[("XSLTTRANSFORMATION_XSLT", SHEET)]), Vec::<String>::new());
        assert_eq!(problems(&[("XSLTTRANSFORMATION_ALLOW_XSLT_OVERRIDE", "true")]), Vec::<String>::new());
        for settings in [vec![], vec![("XSLTTRANSFORMATION_ALLOW_XSLT_OVERRIDE", "false")]] {
            let found = problems(&settings);
            assert!(
                found.len() == 1 && found[0].starts_with("XSLTTRANSFORMATION_XSLT is missing"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_mistake_in_the_stylesheet_has_its_place() {
        let wrong = SHEET.replace(
            "/>",
            ">\n  <xsl:template match=\"a\">\n    <xsl:value-of select=\"b[\"/></xsl:template></xsl:stylesheet>",
        );
        assert_eq!(
            problems(&[("XSLTTRANSFORMATION_XSLT", &wrong)]),
            [
                "XSLTTRANSFORMATION_XSLT is no stylesheet: line 3, column 5: 'select' of xsl:value-of: a name is missing after \
              child"
            ]
        );
        for wrong in ["no xml", "<a/>", "<xsl:stylesheet/>"] {
            assert_eq!(problems(&[("XSLTTRANSFORMATION_XSLT", wrong)]).len(), 1, "{wrong}");
        }
    }

    #[test]
    fn limits_are_above_nothing() {
        for wrong in [("XSLT_TIMEOUT", "0s"), ("XSLT_MAX_BYTES", "1"), ("XSLT_TIMEOUT", "soon")] {
            assert_eq!(problems(&[("XSLTTRANSFORMATION_XSLT", SHEET), wrong]).len(), 1, "{wrong:?}");
        }
    }
}
