//! Evaluates a tree for one event, fail fast (sections 3.3 to 3.7 and 4.1).

use std::cmp::Ordering;

use crate::{
    Attributes,
    ast::{Arithmetic, Binary, Comparison, Logic, Node, Prefix, Test, TestKind},
    error::EvaluationError,
    functions::Function,
    value::{Type, Value},
};

/// How many steps one evaluation may take; a step is about a byte that is read from an attribute, compared with a
/// pattern, or built by a function. It bounds the time and the memory that an expression and an event can cost together.
pub const MAX_WORK: usize = 16 << 20;

/// Attributes that every event has, so that `EXISTS` need not ask (section 3.4.4).
const REQUIRED: [&str; 4] = ["id", "source", "specversion", "type"];

/// What is left of [`MAX_WORK`].
pub(crate) struct Work(usize);

impl Work {
    pub(crate) fn spend(&mut self, steps: usize) -> Result<(), EvaluationError> {
        self.0 = self.0.checked_sub(steps).ok_or(EvaluationError::TooMuchWork)?;
        Ok(())
    }
}

impl Default for Work {
    fn default() -> Self {
        Self(MAX_WORK)
    }
}

/// An error on its way up.
pub(crate) struct Raised<'e> {
    pub(crate) error: EvaluationError,
    /// What the part that failed gives all the same, if not the zero value of its type.
    pub(crate) value: Option<Value<'e>>,
}

impl From<EvaluationError> for Raised<'_> {
    fn from(error: EvaluationError) -> Self {
        Self { error, value: None }
    }
}

/// The value of the expression, and the first error.
pub(crate) fn evaluate<'e, A: Attributes + ?Sized>(
    root: &'e Node,
    attributes: &'e A,
) -> (Value<'e>, Option<EvaluationError>) {
    match (Evaluation { attributes, work: Work::default() }).node(root) {
        Ok(value) => (value, None),
        Err(Raised { error, value }) => (value.unwrap_or_else(|| root.kind().zero()), Some(error)),
    }
}

struct Evaluation<'e, A: ?Sized> {
    attributes: &'e A,
    work: Work,
}

impl<'e, A: Attributes + ?Sized> Evaluation<'e, A> {
    // The recursion goes through short functions, one for each kind of node, which keeps its stack small.
    fn node(&mut self, node: &'e Node) -> Result<Value<'e>, Raised<'e>> {
        match node {
            Node::Literal(value) => Ok(value.borrowed()),
            Node::Attribute(name) => self.attribute(name),
            Node::Exists(name) => Ok(Value::Boolean(self.exists(name))),
            Node::Prefix(operators, operand) => self.prefixed(operators, operand),
            Node::Tests(operand, tests) => self.tests(operand, tests),
            Node::Chain(first, rest) => self.chain(first, rest),
            Node::Call(function, arguments) => self.call(*function, arguments),
            Node::UnknownCall { name, arguments } => Err(missing_function(name, *arguments)),
        }
    }

    /// A node inside another one: when it fails, the value is for the outer one to say.
    fn operand(&mut self, node: &'e Node) -> Result<Value<'e>, Raised<'e>> {
        self.node(node).map_err(|raised| raised.error.into())
    }

    fn attribute(&mut self, name: &str) -> Result<Value<'e>, Raised<'e>> {
        let Some(value) = self.attributes.get(name) else {
            return Err(EvaluationError::MissingAttribute(name.to_owned()).into());
        };
        if let Value::String(text) = &value {
            self.work.spend(text.len())?;
        }
        Ok(value)
    }

    fn exists(&self, name: &str) -> bool {
        REQUIRED.contains(&name) || self.attributes.get(name).is_some()
    }

    fn prefixed(&mut self, operators: &[Prefix], operand: &'e Node) -> Result<Value<'e>, Raised<'e>> {
        let value = self.operand(operand)?;
        Ok(operators.iter().rev().try_fold(value, prefix)?)
    }

    fn tests(&mut self, operand: &'e Node, tests: &'e [Test]) -> Result<Value<'e>, Raised<'e>> {
        let mut value = self.operand(operand)?;
        for test in tests {
            value = Value::Boolean(self.test(value, test)? != test.negated);
        }
        Ok(value)
    }

    fn chain(&mut self, first: &'e Node, rest: &'e [(Binary, Node)]) -> Result<Value<'e>, Raised<'e>> {
        let mut value = self.operand(first)?;
        for (operator, right) in rest {
            value = match operator {
                Binary::Logic(operator) => {
                    // The cast comes first: it decides whether the right side is evaluated at all.
                    let left = value.to_boolean()?;
                    match (operator, left) {
                        (Logic::And, false) | (Logic::Or, true) => Value::Boolean(left),
                        _ => combine(left, *operator, self.operand(right)?)?,
                    }
                }
                Binary::Comparison(operator) => compare(value, *operator, self.operand(right)?)?,
                Binary::Arithmetic(operator) => calculate(value, *operator, self.operand(right)?)?,
            };
        }
        Ok(value)
    }

    fn call(&mut self, function: Function, arguments: &'e [Node]) -> Result<Value<'e>, Raised<'e>> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(self.operand(argument)?);
        }
        function.call(values, &mut self.work)
    }

    fn test(&mut self, value: Value<'e>, test: &'e Test) -> Result<bool, Raised<'e>> {
        match &test.kind {
            TestKind::Like(pattern) => Ok(pattern.matches(&value.into_text(), &mut self.work)?),
            TestKind::In(set) => self.is_in(&value, set),
        }
    }

    fn is_in(&mut self, value: &Value<'e>, set: &'e [Node]) -> Result<bool, Raised<'e>> {
        for element in set {
            let element = self.operand(element)?;
            if equal_as(value.kind(), value.borrowed(), element)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn missing_function<'e>(name: &str, arguments: usize) -> Raised<'e> {
    EvaluationError::MissingFunction { name: name.to_owned(), arguments }.into()
}

fn prefix<'e>(value: Value<'e>, operator: &Prefix) -> Result<Value<'e>, EvaluationError> {
    Ok(match operator {
        Prefix::Not => Value::Boolean(!value.to_boolean()?),
        Prefix::Negate => Value::Integer(value.to_integer()?.checked_neg().ok_or(OVERFLOW)?),
    })
}

/// Whether both are equal after a cast of both to this type.
fn equal_as(kind: Type, left: Value<'_>, right: Value<'_>) -> Result<bool, EvaluationError> {
    Ok(match kind {
        Type::String => left.into_text() == right.into_text(),
        Type::Integer => left.to_integer()? == right.to_integer()?,
        Type::Boolean => left.to_boolean()? == right.to_boolean()?,
    })
}

/// The logic where the left side has not decided yet.
fn combine<'e>(left: bool, operator: Logic, right: Value<'_>) -> Result<Value<'e>, EvaluationError> {
    let right = right.to_boolean()?;
    Ok(Value::Boolean(match operator {
        Logic::And | Logic::Or => right,
        Logic::Xor => left != right,
    }))
}

fn compare<'e>(
    left: Value<'_>,
    operator: Comparison,
    right: Value<'_>,
) -> Result<Value<'e>, EvaluationError> {
    let ordering = |left: &Value<'_>| Ok(left.to_integer()?.cmp(&right.to_integer()?));
    Ok(Value::Boolean(match operator {
        // Ambiguous operators take the type of the right side (section 3.7).
        Comparison::Equal => equal_as(right.kind(), left, right)?,
        Comparison::NotEqual => !equal_as(right.kind(), left, right)?,
        Comparison::Less => ordering(&left)? == Ordering::Less,
        Comparison::LessOrEqual => ordering(&left)? != Ordering::Greater,
        Comparison::Greater => ordering(&left)? == Ordering::Greater,
        Comparison::GreaterOrEqual => ordering(&left)? != Ordering::Less,
    }))
}

const OVERFLOW: EvaluationError = EvaluationError::Math("the result does not fit into 32 bits");

fn calculate<'e>(
    left: Value<'_>,
    operator: Arithmetic,
    right: Value<'_>,
) -> Result<Value<'e>, EvaluationError> {
    let (left, right) = (left.to_integer()?, right.to_integer()?);
    let result = match operator {
        Arithmetic::Divide | Arithmetic::Remainder if right == 0 => {
            return Err(EvaluationError::Math("division by zero"));
        }
        // The remainder always fits, also that of -2147483648 % -1, whose quotient does not.
        Arithmetic::Remainder => Some(left.wrapping_rem(right)),
        Arithmetic::Divide => left.checked_div(right),
        Arithmetic::Multiply => left.checked_mul(right),
        Arithmetic::Add => left.checked_add(right),
        Arithmetic::Subtract => left.checked_sub(right),
    };
    result.map(Value::Integer).ok_or(OVERFLOW)
}
