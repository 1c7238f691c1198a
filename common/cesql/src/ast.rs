//! The tree of an expression.
//!
//! What can be written at any length without parentheses (operators side by side, signs, `NOT`s) is a list in one node:
//! only parentheses make the tree deeper, so walking and dropping it takes a bounded stack.

use crate::{
    functions::Function,
    like::Pattern,
    value::{Type, Value},
};

/// One part of an expression.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// A literal.
    Literal(Value<'static>),
    /// The value of an attribute; the name is in lower case.
    Attribute(String),
    /// Whether the event has the attribute.
    Exists(String),
    /// `NOT` and `-` before an operand, the innermost last.
    Prefix(Vec<Prefix>, Box<Node>),
    /// `LIKE` and `IN` behind an operand, from left to right.
    Tests(Box<Node>, Vec<Test>),
    /// Binary operators of one precedence, from left to right.
    Chain(Box<Node>, Vec<(Binary, Node)>),
    /// A function that exists for so many arguments.
    Call(Function, Vec<Node>),
    /// A function that does not exist; its arguments are never evaluated.
    UnknownCall {
        /// The name in upper case.
        name: String,
        /// How many arguments it is called with.
        arguments: usize,
    },
}

impl Node {
    /// The type of the result; Boolean where only the event could tell (section 3.2).
    pub(crate) fn kind(&self) -> Type {
        match self {
            Self::Literal(value) => value.kind(),
            Self::Prefix(operators, _) if operators.first() == Some(&Prefix::Negate) => Type::Integer,
            Self::Chain(_, rest) => match rest.first() {
                Some((Binary::Arithmetic(_), _)) => Type::Integer,
                _ => Type::Boolean,
            },
            Self::Call(function, _) => function.kind(),
            _ => Type::Boolean,
        }
    }
}

/// An operator before its operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prefix {
    /// `NOT`.
    Not,
    /// `-`.
    Negate,
}

/// A test behind its operand.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    /// Whether `NOT` stands before it.
    pub(crate) negated: bool,
    /// The test.
    pub(crate) kind: TestKind,
}

/// What a test looks at.
#[derive(Debug, Clone)]
pub(crate) enum TestKind {
    /// `LIKE`.
    Like(Pattern),
    /// `IN`.
    In(Vec<Node>),
}

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    /// On Booleans.
    Logic(Logic),
    /// On two values of the same type, giving a Boolean.
    Comparison(Comparison),
    /// On Integers.
    Arithmetic(Arithmetic),
}

/// Operators on Booleans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Logic {
    And,
    Or,
    Xor,
}

/// Operators that compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Operators on Integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// The precedence of binary operators; a greater one binds tighter (section 3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Logic,
    Comparison,
    Additive,
    Multiplicative,
    /// Above all of them: a single operand.
    Operand,
}

impl Level {
    /// The next one that binds tighter.
    pub(crate) fn above(self) -> Self {
        match self {
            Self::Logic => Self::Comparison,
            Self::Comparison => Self::Additive,
            Self::Additive => Self::Multiplicative,
            Self::Multiplicative | Self::Operand => Self::Operand,
        }
    }
}

impl Binary {
    pub(crate) fn level(self) -> Level {
        match self {
            Self::Logic(_) => Level::Logic,
            Self::Comparison(_) => Level::Comparison,
            Self::Arithmetic(Arithmetic::Add | Arithmetic::Subtract) => Level::Additive,
            Self::Arithmetic(_) => Level::Multiplicative,
        }
    }
}
