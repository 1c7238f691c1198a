//! CloudEvents SQL 1.0 (CESQL): the expression language with which a subscription picks its events.
//!
//! An [`Expression`] is parsed once and evaluated for every event. It always gives a value, and an error beside it when
//! something went wrong (section 3.3 of the specification); [`Expression::matches`] is what a filter asks: true only
//! for the Boolean `true` without an error (section 1.2).
//!
//! ```
//! use cesql::{Expression, Value};
//!
//! let event = [("type", "order.paid"), ("source", "/shop/7"), ("amount", "120")];
//! let filter = Expression::parse("type LIKE 'order.%' AND amount > 100")?;
//! assert!(filter.matches(&event));
//!
//! let key = Expression::parse("CONCAT(source, '#', amount % 7)")?;
//! assert_eq!(key.evaluate(&event), (Value::from("/shop/7#1"), None));
//!
//! let error = Expression::parse("type LIKE 7").unwrap_err();
//! assert_eq!(error.to_string(), "line 1, column 11: expected a string literal after LIKE, found 7");
//! # Ok::<(), cesql::ParseError>(())
//! ```
//!
//! # What is worth knowing when writing a filter
//! - An attribute that an adapter holds as text is a String. Where an operator wants another type, it is cast:
//!   `amount > 100` compares Integers; `amount = 100` too, because the right side decides for `=`; `flag` alone is a
//!   String and matches nothing, `flag = TRUE` is the Boolean test.
//! - A missing attribute is an error, and an event with an error does not pass; guard it: `EXISTS subject AND …`.
//! - `AND`, `OR` and `XOR` have one precedence and are evaluated from left to right (section 3.6), unlike in SQL.
//!   `NOT` binds tighter than every other operator: `NOT a = b` is `(NOT a) = b`. Write parentheses;
//!   [`Expression::warnings`] points at both.
//!
//! # Choices the specification leaves open
//! - Errors: fail fast (section 4.1). The first error ends the evaluation; every operator and function around it gives
//!   the zero value of its own type.
//! - Arithmetic that leaves 32 bits is a [`EvaluationError::Math`] and 0.
//! - `IN` stops at the first equal element.
//! - Attribute names are read without regard to case, since the attributes of an event are all in lower case.
//! - In a string literal only the backslash before the delimiter is an escape; every other backslash stands for itself.
//! - `INT`, `BOOL`, `STRING` (asked for by the conformance suite) and `IS_INT`, `IS_BOOL` (from the drafts) exist.
//!
//! # Bounds
//! An expression has at most [`MAX_LENGTH`] bytes and [`MAX_DEPTH`] levels of parentheses; an evaluation takes at most
//! [`MAX_WORK`] steps, one for each byte read or built. No input panics or overflows the stack.

mod ast;
mod error;
mod evaluate;
mod functions;
mod lexer;
mod like;
mod names;
mod parser;
mod value;

use std::{fmt, str::FromStr};

pub use error::{EvaluationError, ParseError, Position, Warning};
pub use evaluate::MAX_WORK;
pub use parser::{MAX_DEPTH, MAX_LENGTH};
pub use value::{Type, Value};

/// Where an expression finds the context attributes and extensions of one event.
pub trait Attributes {
    /// The attribute of this name (always in lower case), or `None` when the event has none. Text without a known type
    /// is a [`Value::String`]; so are URIs and timestamps (section 3.2). `specversion` is an attribute like any other.
    fn get(&self, name: &str) -> Option<Value<'_>>;
}

impl<A: Attributes + ?Sized> Attributes for &A {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        (**self).get(name)
    }
}

impl Attributes for [(&str, &str)] {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        self.iter().find(|(known, _)| *known == name).map(|(_, text)| Value::from(*text))
    }
}

impl<const N: usize> Attributes for [(&str, &str); N] {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        Attributes::get(self.as_slice(), name)
    }
}

/// A parsed expression: cheap to evaluate, shareable between threads.
#[derive(Debug, Clone)]
pub struct Expression {
    source: String,
    root: ast::Node,
    warnings: Vec<Warning>,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// Where the text stops being CESQL, and what was expected there; also for an expression beyond [`MAX_LENGTH`] or
    /// [`MAX_DEPTH`], an Integer literal beyond 32 bits and a `LIKE` pattern that is not a string literal.
    pub fn parse(source: &str) -> Result<Self, ParseError> {
        let (root, warnings) = parser::parse(source)?;
        Ok(Self { source: source.to_owned(), root, warnings })
    }

    /// The value for this event, and the error when there was one (section 3.3).
    pub fn evaluate<'e, A: Attributes + ?Sized>(
        &'e self,
        attributes: &'e A,
    ) -> (Value<'e>, Option<EvaluationError>) {
        evaluate::evaluate(&self.root, attributes)
    }

    /// Whether the event passes the filter: the value is the Boolean `true` and there was no error (section 1.2).
    pub fn matches<A: Attributes + ?Sized>(&self, attributes: &A) -> bool {
        matches!(self.evaluate(attributes), (Value::Boolean(true), None))
    }

    /// What is CESQL and yet probably not what the author meant; in the order of the text.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The text as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl FromStr for Expression {
    type Err = ParseError;

    fn from_str(source: &str) -> Result<Self, ParseError> {
        Self::parse(source)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}
