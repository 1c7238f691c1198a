//! What can be wrong with an expression: at parsing, at evaluation, and what is only suspicious.

use std::fmt;

use crate::value::Type;

/// A place in the text of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Bytes before the place.
    pub offset: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Position {
    pub(crate) fn at(source: &str, offset: usize) -> Self {
        let before = source.get(..offset).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).map_or(0, |text| text.chars().count()) + 1;
        Self { offset: before.len(), line: before.matches('\n').count() + 1, column }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// The text is not a CESQL expression. Displayed as one line: the place, then what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {message}")]
pub struct ParseError {
    /// Where the text stops being an expression.
    pub position: Position,
    /// What was expected there, in one line.
    pub message: String,
}

/// Something valid that probably means something else than its author thinks. Displayed like a [`ParseError`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where it stands.
    pub position: Position,
    /// What it means, in one line.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.position, self.message)
    }
}

/// Why the value of an evaluation cannot be trusted: the error types of section 3.3.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// Arithmetic without a result.
    #[error("{0}")]
    Math(&'static str),
    /// A value cannot be turned into the type that is needed.
    #[error("{text} is not a valid {to}")]
    Cast {
        /// The beginning of the String, quoted and escaped.
        text: String,
        /// The type that was needed.
        to: Type,
    },
    /// The event lacks the attribute.
    #[error("the event has no attribute {0:?}")]
    MissingAttribute(String),
    /// There is no function of this name for so many arguments.
    #[error("there is no function {name} of {arguments} arguments")]
    MissingFunction {
        /// The name in upper case.
        name: String,
        /// How many arguments it was called with.
        arguments: usize,
    },
    /// A function refuses its arguments.
    #[error("{0}")]
    Function(&'static str),
    /// The evaluation needs more than [`MAX_WORK`](crate::MAX_WORK) steps.
    #[error("the evaluation takes too much work for this event")]
    TooMuchWork,
}
