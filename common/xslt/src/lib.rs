//! XSLT 1.0 (w3.org/TR/xslt-10) with XPath 1.0 and much of EXSLT, whose results are those of libxslt byte for byte where the
//! fixtures say so. Nothing is read from outside, nothing is written, and time, memory and depth are bounded.

mod budget;
mod doctype;
mod machine;
mod name;
mod read;
mod serialize;
mod shape;
mod style;
mod tree;
mod value;
mod xpath;

use std::fmt;

use budget::Clock;
pub use budget::Limits;

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
        Self { line, column, message: shown(&message.into()) }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for Mistake {}

/// The longest message.
const MAX_MESSAGE: usize = 300;

/// A message on one line, whatever of a text it repeats.
fn shown(message: &str) -> String {
    let plain = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut text: String = message.chars().take(MAX_MESSAGE).map(plain).collect();
    if message.chars().nth(MAX_MESSAGE).is_some() {
        text.push('…');
    }
    text
}

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
        Self::Run { message: shown(&message.into()), line: 0 }
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
    /// What `xsl:message` said first.
    pub messages: Vec<String>,
}

impl Stylesheet {
    /// Compiles a stylesheet of whoever runs this.
    ///
    /// # Errors
    /// The first mistake in it.
    pub fn compile(text: &[u8]) -> Result<Self, Mistake> {
        Self::compile_within(text, &Limits::TRUSTED)
    }

    /// Compiles a stylesheet of somebody else.
    ///
    /// # Errors
    /// The first mistake in it, which may be that it takes too much.
    pub fn compile_within(text: &[u8], limits: &Limits) -> Result<Self, Mistake> {
        budget::begin();
        style::compile(text, limits).map(Self)
    }

    /// Bytes that it takes, nearly.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.size
    }

    /// Transforms a document.
    ///
    /// # Errors
    /// When it is malformed, the stylesheet ends it or cannot go on, or a limit is reached.
    pub fn transform(&self, document: &[u8], limits: &Limits) -> Result<Transformed, Failure> {
        budget::begin();
        let mut clock = Clock::new(limits);
        let mut source = read::read(document, limits.memory, false)?.tree;
        self.0.strip(&mut source, &mut clock)?;
        let (made, messages, mut clock) = machine::Machine::new(&self.0, source, limits, clock).run()?;
        Ok(Transformed { bytes: serialize::serialize(&made, &self.0.output, &mut clock)?, messages })
    }
}
