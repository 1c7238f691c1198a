//! Expressions over an event, in [CEL](https://github.com/google/cel-spec/blob/master/doc/langdef.md) by the crate `cel`.
//!
//! | name | what it is |
//! |---|---|
//! | `$path.(type)` | the value at a [path](crate::path) in JSON data as `bool`, `int64`, `uint64`, `double` or `string`; the zero value where there is none, as the original had it |
//! | `data` | all of the data: JSON as a value, other text as a string, the rest as bytes, nothing as null; a member that is not there is an error, which `has()` avoids |
//! | `ce` | the attributes and extensions, each a string |
//!
//! # Bounds
//! Expressions have at most [`MAX_LENGTH`] characters and 30 levels, of which a loop has four. The loops of one evaluation go round
//! [`MAX_ROUNDS`] times and keep [`MAX_KEPT`] bytes at most; what an event asks for beyond that is an error. Evaluation that
//! still loops after [`MAX_TIME`] ends with an error that another attempt may not have. What `data` reads may be 127 levels
//! deep; what `$path.(type)` passes over may be as deep as it likes. Patterns of `matches()` are written into the expression
//! and take time in proportion to the text.

mod bound;
mod check;
mod evaluate;
mod prepare;
mod translate;
mod value;

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use cel::{Env, IdedExpr};
use common::Event;

pub use bound::{MAX_KEPT, MAX_ROUNDS, MAX_TIME};

use crate::{Mistake, Position};
use prepare::Prepared;
use translate::Variable;

/// Longest expression, in characters.
pub const MAX_LENGTH: usize = 8192;
/// Most operators in an expression: the parser takes stack for each of those in a row.
const MAX_OPERATORS: usize = 1000;
/// Enough for so many operators; memory that is not touched is not taken.
const STACK: usize = 64 << 20;

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(bound::environment()));

/// A compiled expression: cheap to evaluate, shareable between threads.
pub struct Expression {
    text: String,
    expression: IdedExpr,
    variables: Vec<Variable>,
    prepared: Prepared,
}

/// Why an event has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The event is to blame, and another attempt has no other outcome. Says no more of the event than the expression does.
    #[error("{0}")]
    Event(String),
    /// The time ran out.
    #[error("the expression took longer than {} s", MAX_TIME.as_secs())]
    Late,
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// Every mistake, in the order of the text.
    pub fn new(text: &str) -> Result<Self, Vec<Mistake>> {
        let start = beginning(text);
        let only = |message: String| vec![Mistake::new(start, &message)];
        if text.trim().is_empty() {
            return Err(only("an expression was expected".to_owned()));
        }
        if text.chars().count() > MAX_LENGTH {
            return Err(only(format!("the expression has more than {MAX_LENGTH} characters")));
        }
        let (translated, variables) = translate::translate(text)?;
        let operators =
            translated.matches(['+', '-', '*', '/', '%', '.', '[', '(', '?', '!', '<', '>', '=', '{']);
        if operators.count() > MAX_OPERATORS {
            return Err(only(format!("the expression has more than {MAX_OPERATORS} operators")));
        }
        let compiled = with_stack(|| Self::compile(text, &translated, variables));
        compiled.unwrap_or_else(|| Err(only("the expression cannot be compiled".to_owned())))
    }

    /// Compiles an expression whose variables are names that CEL knows.
    fn compile(text: &str, translated: &str, variables: Vec<Variable>) -> Result<Self, Vec<Mistake>> {
        let start = beginning(text);
        let parser = ENVIRONMENT.parser().enable_ident_escape_syntax(true);
        let (mut expression, places) = parser
            .parse_with_source_info(translated)
            .map_err(|errors| errors.errors.iter().map(|error| syntax(error, text)).collect::<Vec<_>>())?;
        let place = |(node, message): (u64, String)| {
            // The crate counts bytes of what it was given, which has as many characters as what was written.
            let before = places.offset_for(node).and_then(|(at, _)| translated.get(..at as usize));
            let position = before.map_or(start, |before| Position::of(text, before.chars().count()));
            Mistake::new(position, &message)
        };
        let sorted = |mistakes: Vec<(u64, String)>| {
            let mut mistakes: Vec<Mistake> = mistakes.into_iter().map(place).collect();
            mistakes.sort_by_key(|mistake| mistake.position);
            mistakes.dedup();
            if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
        };
        sorted(check::check(&expression, &variables))?;
        let mut prepared = prepare::prepare(&mut expression);
        sorted(std::mem::take(&mut prepared.mistakes))?;
        Ok(Self { text: text.to_owned(), expression, variables, prepared })
    }

    /// Whether an event passes.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn passes(&self, event: &Event) -> Result<bool, Error> {
        evaluate::passes(self, event)
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
}

/// Where a text begins that may have white space before it.
fn beginning(text: &str) -> Position {
    Position::of(text, text.chars().take_while(|c| c.is_whitespace()).count())
}

/// Runs something that takes more stack than a thread may have left: the parser does, before it is known how deep a text is.
/// `None` when it panicked, or there is no thread to be had.
fn with_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    let thread = std::thread::Builder::new().name("compile".to_owned()).stack_size(STACK);
    std::thread::scope(|scope| thread.spawn_scoped(scope, work).ok()?.join().ok())
}

/// A mistake of the grammar.
fn syntax(error: &cel::ParseError, text: &str) -> Mistake {
    let (line, column) = error.pos;
    let at = |number: isize| usize::try_from(number).unwrap_or_default().max(1);
    let message = error.msg.trim_start_matches("Syntax error: ");
    let message = match message.split_once(" expecting {") {
        // The list of all that could stand there helps nobody.
        Some((what, _)) => what,
        None => message,
    };
    let end = Position::of(text, text.chars().count());
    let position = Position { line: at(line), column: at(column) };
    Mistake::new(position.min(end), &message.replace("<EOF>", "the end"))
}
