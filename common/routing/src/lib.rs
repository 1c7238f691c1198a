//! The languages of the kinds `Filter`, `Splitter` and `Aggregator`, compiled once and applied to every event.
//!
//! - [`Path`]: a place in JSON data, in the syntax of [gjson](https://github.com/tidwall/gjson/blob/master/SYNTAX.md).
//! - [`Expression`]: [CEL](https://github.com/google/cel-spec/blob/master/doc/langdef.md) over the attributes and the data of
//!   an event, with the typed variables `$path.(type)` of the original.
//! - [`Splitter`]: an event for each element of an array.
//! - [`Aggregator`]: one event of many that belong together.
//!
//! Every mistake in what users wrote is told with its place when it is compiled. What an event can cost is bounded: see
//! [`filter`] for expressions; a path takes time in proportion to the data and its own length, and no stack.

pub mod aggregator;
pub mod context;
pub mod filter;
pub mod path;
pub mod splitter;

pub use aggregator::Aggregator;
pub use context::CeContext;
pub use filter::Expression;
pub use path::Path;
pub use splitter::Splitter;

use std::fmt;

/// Something wrong in a text that a user wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {message}")]
pub struct Mistake {
    /// Where.
    pub position: Position,
    /// What, as a sentence without a full stop.
    pub message: String,
}

impl Mistake {
    /// A message is one line, whatever stands in the text.
    fn new(position: Position, message: &str) -> Self {
        let shown = |c: char| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() };
        Self { position, message: message.chars().map(shown).collect() }
    }
}

/// A place in a text; lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Position {
    /// That of the character with this number, counted from 0.
    fn of(text: &str, character: usize) -> Self {
        let before = text.chars().take(character);
        before.fold(Self { line: 1, column: 1 }, |at, c| match c {
            '\n' => Self { line: at.line + 1, column: 1 },
            _ => Self { line: at.line, column: at.column + 1 },
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}
