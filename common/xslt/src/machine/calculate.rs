//! Comparing, calculating, and turning values into others (XPath 1.0, sections 3.4, 3.5 and 4).

use std::collections::HashSet;

use super::Machine;
use crate::{
    value::{Node, Value, number_text, text_number},
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
    pub fn compare(&self, comparison: Comparison, left: &Value, right: &Value) -> bool {
        match (set_of(left), set_of(right)) {
            (Some(left), Some(right)) => {
                let texts =
                    |nodes: &[Node]| nodes.iter().map(|node| self.node_text(*node)).collect::<Vec<_>>();
                comparison.of_sets(&texts(&left), &texts(&right))
            }
            (Some(nodes), None) => self.compare_set(comparison, &nodes, left, right),
            (None, Some(nodes)) => self.compare_set(comparison.turned(), &nodes, right, left),
            (None, None) => self.compare_plain(comparison, left, right),
        }
    }

    fn compare_set(&self, comparison: Comparison, nodes: &[Node], set: &Value, other: &Value) -> bool {
        match other {
            Value::Truth(truth) => {
                let (left, right) = (f64::from(self.is_true(set)), f64::from(*truth));
                comparison.of_numbers(left, right)
            }
            Value::Number(number) => {
                nodes.iter().any(|node| comparison.of_numbers(text_number(&self.node_text(*node)), *number))
            }
            other => {
                let text = self.as_text(other);
                nodes.iter().any(|node| comparison.of_texts(&self.node_text(*node), &text))
            }
        }
    }

    fn compare_plain(&self, comparison: Comparison, left: &Value, right: &Value) -> bool {
        let is = |test: fn(&Value) -> bool| test(left) || test(right);
        if comparison.is_equality() && is(|value| matches!(value, Value::Truth(_))) {
            let (left, right) = (self.is_true(left), self.is_true(right));
            return comparison.of_numbers(f64::from(left), f64::from(right));
        }
        if !comparison.is_equality() || is(|value| matches!(value, Value::Number(_))) {
            return comparison.of_numbers(self.as_number(left), self.as_number(right));
        }
        comparison.of_texts(&self.as_text(left), &self.as_text(right))
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

    pub fn as_number(&self, value: &Value) -> f64 {
        match value {
            Value::Number(number) => *number,
            Value::Truth(truth) => f64::from(*truth),
            other => text_number(&self.as_text(other)),
        }
    }

    pub fn as_text(&self, value: &Value) -> String {
        match value {
            Value::Nodes(nodes) => nodes.first().map(|node| self.node_text(*node)).unwrap_or_default(),
            Value::Truth(truth) => truth.to_string(),
            Value::Number(number) => number_text(*number),
            Value::Text(text) => text.to_string(),
            Value::Fragment(root) => self.node_text(*root),
        }
    }

    pub fn node_text(&self, node: Node) -> String {
        self.tree(node).text(node.id)
    }
}

fn set_of(value: &Value) -> Option<std::rc::Rc<Vec<Node>>> {
    match value {
        Value::Nodes(nodes) => Some(std::rc::Rc::clone(nodes)),
        Value::Fragment(root) => Some(std::rc::Rc::new(vec![*root])),
        _ => None,
    }
}
