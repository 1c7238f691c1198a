//! Paths into JSON data, in the syntax of [gjson](https://github.com/tidwall/gjson/blob/master/SYNTAX.md) without what makes
//! new data: no modifiers but `@this`, no multipaths, no literals, no JSON lines.
//!
//! The crate `gjson` is not used: its last release is of 2021, it makes strings without checking them, and its wildcards
//! take exponential time.

mod find;
mod parse;
mod scalar;

pub use find::{Found, NotJson};
pub use parse::PathError;

use crate::{Mistake, Position};

/// Longest path, in characters.
pub const MAX_LENGTH: usize = 1024;
/// Most parts of a path: each may take a look at the whole of the data.
pub const MAX_STEPS: usize = 64;

/// A compiled path.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// What stands between the `|`: a stage begins with the result of the one before it.
    stages: Vec<Vec<Step>>,
}

/// One part of a path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// The value itself.
    This,
    /// A member of an object or, where it is a number, an element of an array.
    Part { name: String, index: Option<usize> },
    /// The first member whose name matches.
    Pattern(Pattern),
    /// `#` at the end: how many elements there are.
    Count,
    /// `#` before something: that of every element that has it.
    Each,
    /// `#(…)`: the first element for which the query holds.
    First(Query),
    /// `#(…)#`: all of them.
    All(Query),
    /// A member of an object, whatever its name.
    Key(String),
    /// An element of an array.
    Index(usize),
}

/// A name with wildcards.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pattern(Vec<Wild>);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Wild {
    Character(char),
    /// `?`
    One,
    /// `*`
    Any,
}

/// What is asked of an element.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query {
    /// Where in it; empty for the element itself.
    path: Vec<Step>,
    /// Without one it is enough that there is something.
    test: Option<(Comparison, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
    NotLike,
}

impl Path {
    /// Compiles a path.
    ///
    /// # Errors
    /// What is wrong with it, with its place.
    pub fn compile(text: &str) -> Result<Self, Mistake> {
        text.parse::<Self>()
            .map_err(|error| Mistake::new(Position::of(text, error.character), &error.message))
    }

    /// Members and elements one below the other.
    pub(crate) fn chain(steps: Vec<Step>) -> Self {
        Self { stages: vec![steps] }
    }

    /// The whole of the data.
    #[must_use]
    pub fn root() -> Self {
        Self::chain(vec![Step::This])
    }
}

impl Pattern {
    /// Takes no more than the product of both lengths.
    fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let (mut at, mut wild) = (0, 0);
        // The last `*`, and how much of the name it has taken so far.
        let mut retry: Option<(usize, usize)> = None;
        while at < name.len() {
            match self.0.get(wild) {
                Some(Wild::Any) => {
                    retry = Some((wild, at));
                    wild += 1;
                }
                Some(Wild::One) => (at, wild) = (at + 1, wild + 1),
                Some(Wild::Character(c)) if name.get(at) == Some(c) => (at, wild) = (at + 1, wild + 1),
                _ => {
                    let Some((star, taken)) = retry else { return false };
                    retry = Some((star, taken + 1));
                    (at, wild) = (taken + 1, star + 1);
                }
            }
        }
        self.0.get(wild..).unwrap_or_default().iter().all(|wild| *wild == Wild::Any)
    }
}
