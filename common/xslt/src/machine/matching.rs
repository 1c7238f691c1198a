//! Which template is for a node (XSLT 1.0, sections 5.2 and 5.5), and which nodes have a key (12.2).

use std::{collections::HashMap, rc::Rc};

use super::{Machine, Place, functions::scoped};
use crate::{
    Failure,
    budget::Charge,
    style::{Anchor, Pattern, Rule},
    tree::{Kind, Name},
    value::{Node, Value},
    xpath::{Axis, Call, Expression, Step},
};

/// Bytes that a node takes in an index, beside its key.
const PLACE: usize = 96;

/// The index of a key in one tree: nodes by their values.
#[derive(Default)]
pub struct Keyed {
    nodes: HashMap<String, Vec<Node>>,
    charge: Charge,
}

impl<'s> Machine<'s> {
    /// The template of the first of the rules that is for this node.
    pub fn rule(&mut self, rules: &'s [Rule], node: Node) -> Result<Option<usize>, Failure> {
        for rule in rules {
            if self.matches(&rule.pattern, node)? {
                return Ok(Some(rule.template));
            }
        }
        Ok(None)
    }

    pub fn matches(&mut self, pattern: &'s Pattern, node: Node) -> Result<bool, Failure> {
        self.clock.work(1)?;
        if pattern.steps.is_empty() {
            return match &pattern.anchor {
                Anchor::Nodes(nodes) => Ok(self.nodes(nodes, Place::at(node))?.contains(&node)),
                _ => Ok(node.id == 0),
            };
        }
        let tree = std::sync::Arc::clone(&self.trees[node.tree as usize]);
        let place = |id| Node { tree: node.tree, id };
        // The nodes that the step may be about, the nearest first; whatever way led to one, it goes on from there.
        let mut may_be = vec![node];
        for (step, loose) in pattern.steps.iter().rev() {
            let mut found = Vec::new();
            for one in may_be {
                self.clock.work(1)?;
                if self.is_meant(step, one) && self.holds(step, one)? {
                    found.push(one);
                }
            }
            let Some(nearest) = found.first() else { return Ok(false) };
            may_be = if *loose {
                tree.ancestors(nearest.id).map(place).collect()
            } else {
                found.iter().filter_map(|one| tree.parent(one.id)).map(place).collect()
            };
        }
        match &pattern.anchor {
            Anchor::Anywhere => Ok(true),
            Anchor::Root => Ok(may_be.iter().any(|node| node.id == 0)),
            Anchor::Nodes(nodes) => {
                let nodes = self.nodes(nodes, Place::at(node))?;
                Ok(may_be.iter().any(|node| nodes.contains(node)))
            }
        }
    }

    fn is_meant(&self, step: &Step, node: Node) -> bool {
        let kind = self.kind(node);
        let right_axis = match step.axis {
            Axis::Attribute => kind == Kind::Attribute,
            _ => kind != Kind::Attribute && kind != Kind::Root,
        };
        right_axis && step.test.passes(self.tree(node), node.id, step.axis)
    }

    fn holds(&mut self, step: &'s Step, node: Node) -> Result<bool, Failure> {
        if step.predicates.is_empty() {
            return Ok(true);
        }
        if step.predicates.iter().all(needs_no_position) {
            for predicate in &step.predicates {
                if !self.truth(predicate, Place::at(node))? {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        let tree = std::sync::Arc::clone(&self.trees[node.tree as usize]);
        let parent = tree.parent(node.id).unwrap_or_default();
        let mut siblings = Vec::new();
        step.axis.each(&tree, parent, &mut |id| {
            let sibling = Node { tree: node.tree, id };
            if step.test.passes(&tree, id, step.axis) {
                siblings.push(sibling);
            }
            true
        });
        self.clock.work(siblings.len())?;
        for predicate in &step.predicates {
            siblings = self.filter(siblings, predicate, node)?;
        }
        Ok(siblings.contains(&node))
    }

    /// `key()`: the nodes of this document whose key has one of the values.
    pub fn by_key(
        &mut self,
        call: &'s Call,
        key: &'s Expression,
        value: &'s Expression,
        place: Place,
    ) -> Result<Value, Failure> {
        let text = self.text(key, place)?;
        let style = self.style;
        let name = scoped(call, &text).filter(|name| style.keys.iter().any(|key| key.name == *name));
        let name = name.ok_or_else(|| Failure::new(format!("there is no key '{text}'")))?;
        let index = self.key_index(name, place.node.tree)?;
        let value = self.evaluate(value, place)?;
        let texts = self.texts_of(&value)?;
        let mut found = Vec::new();
        for text in texts.iter() {
            found.extend_from_slice(index.nodes.get(text).map_or(&[][..], Vec::as_slice));
            self.clock.work(1)?;
            self.clock.room(found.len() * size_of::<Node>())?;
        }
        Ok(Value::nodes(found))
    }

    fn key_index(&mut self, name: Name, tree: u32) -> Result<Rc<Keyed>, Failure> {
        if let Some(known) = self.keys.get(&(name.clone(), tree)) {
            return Ok(Rc::clone(known));
        }
        let nodes = std::sync::Arc::clone(&self.trees[tree as usize]);
        let mut index = Keyed::default();
        let style = self.style;
        let all = std::iter::once(0).chain(nodes.descendants(0));
        for id in all.flat_map(|id| std::iter::once(id).chain(nodes.get(id).attributes.iter().copied())) {
            self.step()?;
            let node = Node { tree, id };
            for key in style.keys.iter().filter(|key| key.name == name) {
                let mut matches = false;
                for pattern in &key.patterns {
                    matches = matches || self.matches(pattern, node)?;
                }
                if !matches {
                    continue;
                }
                let value = self.evaluate(&key.value, Place::at(node))?;
                for value in self.texts_of(&value)?.iter() {
                    index.charge.grow(value.len() + PLACE);
                    self.clock.room(0)?;
                    index.nodes.entry(value.clone()).or_default().push(node);
                }
            }
        }
        let index = Rc::new(index);
        self.keys.insert((name, tree), Rc::clone(&index));
        Ok(index)
    }
}

/// Whether a predicate says the same wherever its node stands among its siblings.
fn needs_no_position(expression: &Expression) -> bool {
    const TRUTHS: [&str; 6] = ["not", "contains", "starts-with", "boolean", "lang", "true"];
    match expression {
        Expression::Or(left, right) | Expression::And(left, right) | Expression::Compare(_, left, right) => {
            is_free(left) && is_free(right)
        }
        Expression::Path(..) => true,
        Expression::Call(call) => TRUTHS.contains(&&*call.name.local) && call.arguments.iter().all(is_free),
        _ => false,
    }
}

/// Whether neither `position()` nor `last()` is asked for.
fn is_free(expression: &Expression) -> bool {
    match expression {
        Expression::Or(left, right)
        | Expression::And(left, right)
        | Expression::Compare(_, left, right)
        | Expression::Calculate(_, left, right)
        | Expression::Union(left, right) => is_free(left) && is_free(right),
        Expression::Negative(inner) | Expression::Filter(inner, _) => is_free(inner),
        Expression::Call(call) => {
            !matches!(&*call.name.local, "position" | "last") && call.arguments.iter().all(is_free)
        }
        Expression::Path(crate::xpath::Start::From(inner), _) => is_free(inner),
        _ => true,
    }
}
