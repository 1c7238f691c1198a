//! Comparing, calculating, and turning values into others (XPath 1.0, sections 3.4, 3.5 and 4).

use std::collections::HashSet;

use super::Machine;
use crate::{
    Failure,
    budget::Charge,
    value::{Node, Nodes, Value, in_order, number_text, text_number},
    xpath::{Calculation, Comparison},
};

/// The lower or the higher of two.
type Extreme = fn(f64, f64) -> f64;

impl Calculation {
    pub fn of(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Plus => left + right,
            Self::Minus => left - right,
            Self::Times => left * right,
            Self::Divided => left / right,
            Self::Modulo => left % right,
        }
    }
}

impl Comparison {
    fn of_numbers(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
        }
    }

    fn of_texts(self, left: &str, right: &str) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Unequal => left != right,
            _ => self.of_numbers(text_number(left), text_number(right)),
        }
    }

    /// Whether it holds for one pair; the work grows with the sum of both, not with their product.
    fn of_sets(self, left: &[String], right: &[String]) -> bool {
        let numbers = |texts: &[String]| -> Vec<f64> {
            texts.iter().map(|text| text_number(text)).filter(|number| !number.is_nan()).collect()
        };
        let extreme = |texts: &[String], of: Extreme| numbers(texts).into_iter().reduce(of);
        let (low, high): (Extreme, Extreme) = (f64::min, f64::max);
        let (of_left, of_right) = match self {
            Self::Equal => {
                let right: HashSet<&String> = right.iter().collect();
                return left.iter().any(|text| right.contains(text));
            }
            Self::Unequal => {
                let all: HashSet<&String> = left.iter().chain(right).collect();
                return !left.is_empty() && !right.is_empty() && all.len() > 1;
            }
            Self::Less | Self::AtMost => (low, high),
            Self::More | Self::AtLeast => (high, low),
        };
        match (extreme(left, of_left), extreme(right, of_right)) {
            (Some(left), Some(right)) => self.of_numbers(left, right),
            _ => false,
        }
    }

    /// The same with the sides changed.
    fn turned(self) -> Self {
        match self {
            Self::Less => Self::More,
            Self::AtMost => Self::AtLeast,
            Self::More => Self::Less,
            Self::AtLeast => Self::AtMost,
            other => other,
        }
    }

    fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::Unequal)
    }
}

impl Machine<'_> {
    /// Compares; of sets of nodes, one pair for which it holds is enough.
    pub fn compare(&mut self, comparison: Comparison, left: &Value, right: &Value) -> Result<bool, Failure> {
        match (set_of(left), set_of(right)) {
            (Some(left), Some(right)) => {
                let (left, right) = (self.texts(&left)?, self.texts(&right)?);
                Ok(comparison.of_sets(&left, &right))
            }
            (Some(nodes), None) => self.compare_set(comparison, &nodes, left, right),
            (None, Some(nodes)) => self.compare_set(comparison.turned(), &nodes, right, left),
            (None, None) => self.compare_plain(comparison, left, right),
        }
    }

    fn compare_set(
        &mut self,
        comparison: Comparison,
        nodes: &[Node],
        set: &Value,
        other: &Value,
    ) -> Result<bool, Failure> {
        if let Value::Truth(truth) = other {
            return Ok(comparison.of_numbers(f64::from(self.is_true(set)), f64::from(*truth)));
        }
        let text = match other {
            Value::Number(_) => String::new(),
            other => self.text_from(other)?,
        };
        for node in nodes {
            let found = self.text_of(*node)?;
            let holds = match other {
                Value::Number(number) => comparison.of_numbers(text_number(&found), *number),
                _ => comparison.of_texts(&found, &text),
            };
            if holds {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn compare_plain(
        &mut self,
        comparison: Comparison,
        left: &Value,
        right: &Value,
    ) -> Result<bool, Failure> {
        let is = |test: fn(&Value) -> bool| test(left) || test(right);
        if comparison.is_equality() && is(|value| matches!(value, Value::Truth(_))) {
            let (left, right) = (self.is_true(left), self.is_true(right));
            return Ok(comparison.of_numbers(f64::from(left), f64::from(right)));
        }
        if !comparison.is_equality() || is(|value| matches!(value, Value::Number(_))) {
            return Ok(comparison.of_numbers(self.number_of(left)?, self.number_of(right)?));
        }
        Ok(comparison.of_texts(&self.text_from(left)?, &self.text_from(right)?))
    }

    pub fn is_true(&self, value: &Value) -> bool {
        match value {
            Value::Nodes(nodes) => !nodes.is_empty(),
            Value::Truth(truth) => *truth,
            Value::Number(number) => *number != 0.0 && !number.is_nan(),
            Value::Text(text) => !text.is_empty(),
            Value::Fragment(_) => true,
        }
    }

    pub fn number_of(&mut self, value: &Value) -> Result<f64, Failure> {
        Ok(match value {
            Value::Number(number) => *number,
            Value::Truth(truth) => f64::from(*truth),
            other => text_number(&self.text_from(other)?),
        })
    }

    pub fn text_from(&mut self, value: &Value) -> Result<String, Failure> {
        Ok(match value {
            Value::Nodes(nodes) => match nodes.first() {
                Some(node) => self.text_of(*node)?,
                None => String::new(),
            },
            Value::Truth(truth) => truth.to_string(),
            Value::Number(number) => number_text(*number),
            Value::Text(text) => {
                self.clock.room(text.len())?;
                self.clock.work(text.len() / LETTERS)?;
                text.to_string()
            }
            Value::Fragment(root) => self.text_of(*root)?,
        })
    }

    /// The text of a node.
    pub fn text_of(&mut self, node: Node) -> Result<String, Failure> {
        let rest = self.clock.rest();
        let found = self.tree(node).text_within(node.id, rest);
        let (text, looked) = found.ok_or_else(|| Failure::limit("it makes too much"))?;
        self.clock.work(looked + text.len() / LETTERS)?;
        Ok(text)
    }

    /// The texts of nodes.
    pub fn texts(&mut self, nodes: &[Node]) -> Result<Texts, Failure> {
        let mut texts = Texts::default();
        for node in nodes {
            let text = self.text_of(*node)?;
            texts.charge.grow(size_of::<String>() + text.len());
            texts.texts.push(text);
        }
        self.clock.room(0)?;
        Ok(texts)
    }

    /// The texts of a set of nodes, or the one of what is none.
    pub fn texts_of(&mut self, value: &Value) -> Result<Texts, Failure> {
        match value {
            Value::Nodes(nodes) => self.texts(nodes),
            other => {
                let text = self.text_from(other)?;
                Ok(Texts { charge: Charge::new(text.len()), texts: vec![text] })
            }
        }
    }
}

/// Letters that are copied in the time in which a node is looked at.
const LETTERS: usize = 64;

/// Texts that are held together.
#[derive(Default)]
pub struct Texts {
    texts: Vec<String>,
    charge: Charge,
}

impl std::ops::Deref for Texts {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.texts
    }
}

fn set_of(value: &Value) -> Option<Nodes> {
    match value {
        Value::Nodes(nodes) => Some(std::rc::Rc::clone(nodes)),
        Value::Fragment(root) => Some(in_order(vec![*root])),
        _ => None,
    }
}
