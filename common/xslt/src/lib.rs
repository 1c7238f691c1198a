//! XSLT 1.0 (w3.org/TR/xslt-10) with XPath 1.0 and much of EXSLT, whose results are those of libxslt byte for byte where the
//! fixtures say so. Nothing is read from outside, nothing is written, and time, memory and depth are bounded.

mod doctype;
mod machine;
mod read;
mod serialize;
mod style;
mod tree;
mod value;
mod xpath;

use std::fmt;

pub use machine::Limits;

/// A mistake in a stylesheet or a document, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// The end of a sentence that begins with what it is about.
    pub message: String,
}

impl Mistake {
    fn new(line: u32, column: u32, message: impl Into<String>) -> Self {
        Self { line, column, message: message.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for Mistake {}

/// Why a document was not transformed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The document is malformed.
    #[error("the document is malformed: {0}")]
    Document(Mistake),
    /// The stylesheet could not go on.
    #[error("the stylesheet{}: {message}", at(*.line))]
    Run {
        /// What happened.
        message: String,
        /// The line of the stylesheet, from 1; 0 where none is to blame.
        line: u32,
    },
    /// It went over a limit.
    #[error("the transformation was given up: {0}")]
    Limit(&'static str),
}

fn at(line: u32) -> String {
    if line > 0 { format!(" at line {line}") } else { String::new() }
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self::Run { message: message.into(), line: 0 }
    }

    fn limit(message: &'static str) -> Self {
        Self::Limit(message)
    }

    /// The same, from this line unless it knows a nearer one.
    fn at(self, place: u32) -> Self {
        match self {
            Self::Run { message, line: 0 } => Self::Run { message, line: place },
            other => other,
        }
    }
}

/// A compiled stylesheet. It can be used by many threads at once.
#[derive(Debug)]
pub struct Stylesheet(style::Stylesheet);

/// What became of a document.
#[derive(Debug)]
pub struct Transformed {
    /// The result as `xsl:output` says.
    pub bytes: Vec<u8>,
    /// What `xsl:message` said.
    pub messages: Vec<String>,
}

impl Stylesheet {
    /// Compiles a stylesheet.
    ///
    /// # Errors
    /// The first mistake in it.
    pub fn compile(text: &[u8]) -> Result<Self, Mistake> {
        style::compile(text).map(Self)
    }

    /// Transforms a document.
    ///
    /// # Errors
    /// When it is malformed, the stylesheet ends it or cannot go on, or a limit is reached.
    pub fn transform(&self, document: &[u8], limits: &Limits) -> Result<Transformed, Failure> {
        let mut source = read::read(document, false).map_err(Failure::Document)?.tree;
        self.0.strip(&mut source);
        let (made, messages) = machine::Machine::new(&self.0, source, *limits).run()?;
        Ok(Transformed { bytes: serialize::serialize(&made, &self.0.output), messages })
    }
}
