//! XML to JSON, as the original (goxml2json behind Go's `encoding/xml`) mapped it, and safe for input of anybody.
//!
//! An element with neither attributes nor children is a string, any other an object: attributes are members whose names
//! begin with `-`, its text is `#content`, and of what comes several times there is a list. Names are local ones. Nothing is
//! read from elsewhere and no entity but the five of XML itself is known, so nothing grows: what a document type declares is
//! passed over.
//!
//! ```
//! let json = xmljson::convert(br#"<note to="Ann"><body>Hi &amp; bye</body></note>"#)?;
//! assert_eq!(json, b"{\"note\": {\"-to\": \"Ann\", \"body\": \"Hi \\u0026 bye\"}}\n");
//! # Ok::<(), xmljson::Invalid>(())
//! ```

mod lexis;
mod read;
mod write;

/// Elements within one another; deeper ones are refused.
pub const MAX_DEPTH: usize = 1000;

/// Why a document has no JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid XML: {reason} at byte {at}")]
pub struct Invalid {
    /// Where, counted from 0.
    pub at: u64,
    /// What is wrong there.
    pub reason: String,
}

/// The longest reason, in characters: it may repeat a part of the document.
const MAX_REASON: usize = 200;

impl Invalid {
    /// With a reason on one line.
    fn new(at: u64, reason: &str) -> Self {
        let mut shown = String::new();
        for c in reason.chars().take(MAX_REASON) {
            if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
        }
        Self { at, reason: shown }
    }
}

/// The JSON of a document, with a line break at its end.
///
/// The first element must be well-formed. What comes behind it is kept up to the first mistake.
///
/// # Errors
/// When the first element is not well-formed.
pub fn convert(xml: &[u8]) -> Result<Vec<u8>, Invalid> {
    let tree = read::read(xml)?;
    let mut json = Vec::with_capacity(xml.len());
    write::write(&mut json, &tree);
    Ok(json)
}
