//! XPath 1.0: what an expression is.

mod functions;
mod lexer;
mod operands;
mod parser;
mod steps;

use crate::tree::{Name, Text};

pub use functions::{known, round};
pub use parser::{Scope, parse};

/// An expression.
#[derive(Debug)]
pub enum Expression {
    Or(Box<Expression>, Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Compare(Comparison, Box<Expression>, Box<Expression>),
    Calculate(Calculation, Box<Expression>, Box<Expression>),
    Negative(Box<Expression>),
    Union(Box<Expression>, Box<Expression>),
    Number(f64),
    Literal(Text),
    Variable(Name),
    Call(Call),
    Path(Start, Vec<Step>),
    Filter(Box<Expression>, Vec<Expression>),
}

/// A call of a function.
#[derive(Debug)]
pub struct Call {
    pub name: Name,
    pub arguments: Vec<Expression>,
    /// What prefixes mean where it stands, for functions that are given names: prefix and URI.
    pub scope: std::sync::Arc<[(Text, Text)]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

#[derive(Clone, Copy, Debug)]
pub enum Calculation {
    Plus,
    Minus,
    Times,
    Divided,
    Modulo,
}

/// Where a path begins.
#[derive(Debug)]
pub enum Start {
    Here,
    Root,
    From(Box<Expression>),
}

/// A step of a path.
#[derive(Debug)]
pub struct Step {
    pub axis: Axis,
    pub test: Test,
    pub predicates: Vec<Expression>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    Ancestor,
    AncestorOrSelf,
    Attribute,
    Child,
    Descendant,
    DescendantOrSelf,
    Following,
    FollowingSibling,
    Parent,
    Preceding,
    PrecedingSibling,
    Itself,
}

/// Which nodes of an axis are meant.
#[derive(Clone, Debug)]
pub enum Test {
    Any,
    Text,
    Comment,
    Instruction(Option<Text>),
    /// All elements (on the attribute axis all attributes), of one namespace if it is given.
    All(Option<Text>),
    Named(Name),
}
