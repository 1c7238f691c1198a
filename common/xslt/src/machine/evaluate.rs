//! Evaluating expressions (XPath 1.0, section 3).

use std::rc::Rc;

use super::{Machine, Place};
use crate::{
    Failure,
    value::{Node, Value},
    xpath::{Axis, Expression, Start, Step, Test},
};

/// Strings above this are counted as memory.
const LONG: usize = 1024;

impl<'s> Machine<'s> {
    pub fn evaluate(&mut self, expression: &'s Expression, place: Place) -> Result<Value, Failure> {
        self.step()?;
        Ok(match expression {
            Expression::Or(left, right) => {
                Value::Truth(self.truth(left, place)? || self.truth(right, place)?)
            }
            Expression::And(left, right) => {
                Value::Truth(self.truth(left, place)? && self.truth(right, place)?)
            }
            Expression::Compare(comparison, left, right) => {
                let (left, right) = (self.evaluate(left, place)?, self.evaluate(right, place)?);
                Value::Truth(self.compare(*comparison, &left, &right))
            }
            Expression::Calculate(calculation, left, right) => {
                let (left, right) = (self.number(left, place)?, self.number(right, place)?);
                Value::Number(calculation.of(left, right))
            }
            Expression::Negative(inner) => Value::Number(-self.number(inner, place)?),
            Expression::Union(left, right) => {
                let (left, right) = (self.nodes(left, place)?, self.nodes(right, place)?);
                Value::nodes(left.iter().chain(right.iter()).copied().collect())
            }
            Expression::Number(number) => Value::Number(*number),
            Expression::Literal(text) => Value::text(text),
            Expression::Variable(name) => self.variable(name)?,
            Expression::Call(call) => self.call(call, place)?,
            Expression::Filter(inner, predicates) => {
                let mut nodes = self.nodes(inner, place)?.to_vec();
                for predicate in predicates {
                    nodes = self.filter(nodes, predicate, place.current)?;
                }
                Value::nodes(nodes)
            }
            Expression::Path(start, steps) => self.path(start, steps, place)?,
        })
    }

    fn path(&mut self, start: &'s Start, steps: &'s [Step], place: Place) -> Result<Value, Failure> {
        let mut nodes = match start {
            Start::Here => Rc::new(vec![place.node]),
            Start::Root => Rc::new(vec![Node { tree: place.node.tree, id: 0 }]),
            Start::From(inner) => self.nodes(inner, place)?,
        };
        let mut steps = steps.iter().peekable();
        while let Some(step) = steps.next() {
            // `//name` without a predicate is one walk down.
            let is_anywhere = step.axis == Axis::DescendantOrSelf
                && matches!(step.test, Test::Any)
                && step.predicates.is_empty();
            let merged =
                steps.next_if(|next| is_anywhere && next.axis == Axis::Child && next.predicates.is_empty());
            let axis = if merged.is_some() { Axis::Descendant } else { step.axis };
            let step = merged.unwrap_or(step);
            let mut found = Vec::new();
            for node in nodes.iter() {
                found.append(&mut self.walk(*node, axis, step, place.current)?);
            }
            let Value::Nodes(next) = Value::nodes(found) else { break };
            nodes = next;
        }
        Ok(Value::Nodes(nodes))
    }

    /// The nodes of a step from one node, predicates applied, in the order of the axis.
    fn walk(&mut self, node: Node, axis: Axis, step: &'s Step, current: Node) -> Result<Vec<Node>, Failure> {
        let tree = std::sync::Arc::clone(&self.trees[node.tree as usize]);
        let mut found = Vec::new();
        let mut looked = 0_usize;
        axis.each(&tree, node.id, &mut |id| {
            looked += 1;
            if step.test.passes(&tree, id, axis) {
                found.push(Node { tree: node.tree, id });
            }
            true
        });
        if looked > 256 {
            self.look_at_clock()?;
        }
        for predicate in &step.predicates {
            found = self.filter(found, predicate, current)?;
        }
        Ok(found)
    }

    /// Those of the nodes for which a predicate holds, their places counted from 1.
    pub fn filter(
        &mut self,
        nodes: Vec<Node>,
        predicate: &'s Expression,
        current: Node,
    ) -> Result<Vec<Node>, Failure> {
        if let Expression::Number(position) = predicate {
            let index = *position as usize;
            let is_whole = index as f64 == *position && index > 0;
            return Ok(nodes.get(index.wrapping_sub(1)).filter(|_| is_whole).copied().into_iter().collect());
        }
        let size = nodes.len();
        let mut kept = Vec::new();
        for (index, node) in nodes.into_iter().enumerate() {
            let position = index + 1;
            let place = Place { node, position, size, current };
            let holds = match self.evaluate(predicate, place)? {
                Value::Number(number) => number == position as f64,
                other => self.is_true(&other),
            };
            if holds {
                kept.push(node);
            }
        }
        Ok(kept)
    }

    pub fn truth(&mut self, expression: &'s Expression, place: Place) -> Result<bool, Failure> {
        let value = self.evaluate(expression, place)?;
        Ok(self.is_true(&value))
    }

    pub fn number(&mut self, expression: &'s Expression, place: Place) -> Result<f64, Failure> {
        let value = self.evaluate(expression, place)?;
        Ok(self.as_number(&value))
    }

    pub fn text(&mut self, expression: &'s Expression, place: Place) -> Result<String, Failure> {
        let value = self.evaluate(expression, place)?;
        let text = self.as_text(&value);
        self.hold_text(&text)?;
        Ok(text)
    }

    /// Counts a text that is not short.
    pub fn hold_text(&mut self, text: &str) -> Result<(), Failure> {
        if text.len() > LONG { self.hold(text.len()) } else { Ok(()) }
    }

    pub fn nodes(&mut self, expression: &'s Expression, place: Place) -> Result<Rc<Vec<Node>>, Failure> {
        match self.evaluate(expression, place)? {
            Value::Nodes(nodes) => Ok(nodes),
            Value::Fragment(_) => {
                Err(Failure::new("what a body made is no set of nodes: exsl:node-set() makes one of it"))
            }
            _ => Err(Failure::new("a set of nodes is needed here")),
        }
    }
}
