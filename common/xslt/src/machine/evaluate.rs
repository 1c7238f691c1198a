//! Evaluating expressions (XPath 1.0, section 3).

use super::{Machine, Place, RED, STACK};
use crate::{
    Failure,
    value::{Node, Nodes, Value, in_order},
    xpath::{Axis, Expression, Start, Step, Test},
};

/// Nodes of a step that are kept before those that come twice are taken out.
const MANY: usize = 1 << 16;

impl<'s> Machine<'s> {
    pub fn evaluate(&mut self, expression: &'s Expression, place: Place) -> Result<Value, Failure> {
        self.step()?;
        match expression {
            // The common ones need no more stack.
            Expression::Number(number) => Ok(Value::Number(*number)),
            Expression::Literal(text) => Ok(Value::text(text)),
            Expression::Variable(name) => self.variable(name),
            _ => stacker::maybe_grow(RED, STACK, || self.evaluate_deep(expression, place)),
        }
    }

    fn evaluate_deep(&mut self, expression: &'s Expression, place: Place) -> Result<Value, Failure> {
        Ok(match expression {
            Expression::Or(left, right) => {
                Value::Truth(self.truth(left, place)? || self.truth(right, place)?)
            }
            Expression::And(left, right) => {
                Value::Truth(self.truth(left, place)? && self.truth(right, place)?)
            }
            Expression::Compare(comparison, left, right) => {
                let (left, right) = (self.evaluate(left, place)?, self.evaluate(right, place)?);
                Value::Truth(self.compare(*comparison, &left, &right)?)
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
                self.clock.room(nodes.len() * size_of::<Node>())?;
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
            Start::Here => in_order(vec![place.node]),
            Start::Root => in_order(vec![Node { tree: place.node.tree, id: 0 }]),
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
            let mut many = MANY;
            for node in nodes.iter() {
                found.append(&mut self.walk(*node, axis, step, place.current)?);
                if found.len() > many {
                    self.clock.work(found.len())?;
                    found.sort_unstable();
                    found.dedup();
                    many = MANY.max(2 * found.len());
                    self.clock.room(many * size_of::<Node>())?;
                }
            }
            self.clock.work(found.len())?;
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
        self.clock.work(looked)?;
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
        self.number_of(&value)
    }

    pub fn text(&mut self, expression: &'s Expression, place: Place) -> Result<String, Failure> {
        let value = self.evaluate(expression, place)?;
        self.text_from(&value)
    }

    pub fn nodes(&mut self, expression: &'s Expression, place: Place) -> Result<Nodes, Failure> {
        match self.evaluate(expression, place)? {
            Value::Nodes(nodes) => Ok(nodes),
            Value::Fragment(_) => {
                Err(Failure::new("what a body made is no set of nodes: exsl:node-set() makes one of it"))
            }
            _ => Err(Failure::new("a set of nodes is needed here")),
        }
    }
}
