//! Running instructions (XSLT 1.0, sections 5 to 11 and 13).

use std::sync::Arc;

use super::{Machine, Place, making::is_plain_name};
use crate::{
    Failure,
    style::{Binding, Body, Bound, Instruction, Rule, Stylesheet, What},
    tree::{Kind, Name},
    value::{Node, Nodes, Value, in_order, is_space},
};

/// Values that a template or a function is given, by name.
pub type Given<'s> = Vec<(&'s Name, Value)>;

impl<'s> Machine<'s> {
    /// Finds the template for each of the nodes and runs it.
    pub fn apply(&mut self, nodes: &[Node], mode: Option<&'s Name>, given: Given<'s>) -> Result<(), Failure> {
        let rules: &'s [Rule] = self.style.rules.get(&mode.cloned()).map_or(&[], Vec::as_slice);
        let size = nodes.len();
        for (index, node) in nodes.iter().copied().enumerate() {
            self.step()?;
            let place = Place { node, position: index + 1, size, current: node };
            match self.rule(rules, node)? {
                Some(template) => self.template(template, place, mode, given.clone())?,
                None => self.built_in(node, mode, given.clone())?,
            }
        }
        Ok(())
    }

    /// As in libxslt, what a template would be given is passed on.
    fn built_in(&mut self, node: Node, mode: Option<&'s Name>, given: Given<'s>) -> Result<(), Failure> {
        match self.kind(node) {
            Kind::Root | Kind::Element => {
                let children = self.children(node);
                self.deeper(|this| this.apply(&children, mode, given))
            }
            Kind::Text | Kind::Raw | Kind::Attribute => {
                let text = self.text_of(node)?;
                self.write(&text, false)
            }
            Kind::Comment | Kind::Instruction => Ok(()),
        }
    }

    fn children(&self, node: Node) -> Nodes {
        in_order(self.tree(node).children(node.id).map(|id| Node { tree: node.tree, id }).collect())
    }

    fn template(
        &mut self,
        template: usize,
        place: Place,
        mode: Option<&'s Name>,
        given: Given<'s>,
    ) -> Result<(), Failure> {
        let style: &'s Stylesheet = self.style;
        let outer = std::mem::replace(&mut self.mode, mode);
        let done = self.framed(&style.templates[template].body, place, given);
        self.mode = outer;
        done
    }

    /// Runs a body with variables of its own.
    pub fn framed(&mut self, body: &'s Body, place: Place, given: Given<'s>) -> Result<(), Failure> {
        let mark = self.variables.len();
        let frame = std::mem::replace(&mut self.frame, mark);
        let done = self.deeper(|this| {
            for instruction in body {
                let known = match &instruction.what {
                    What::Parameter(binding) => given.iter().find(|(name, _)| **name == binding.name),
                    _ => None,
                };
                match (known, &instruction.what) {
                    (Some((_, value)), What::Parameter(binding)) => {
                        this.declare(&binding.name, value.clone());
                    }
                    _ => this.instruction(instruction, place)?,
                }
            }
            Ok(())
        });
        self.variables.truncate(mark);
        self.frame = frame;
        done
    }

    pub fn body(&mut self, body: &'s Body, place: Place) -> Result<(), Failure> {
        let mark = self.variables.len();
        self.stacked(|this| body.iter().try_for_each(|instruction| this.instruction(instruction, place)))?;
        self.variables.truncate(mark);
        Ok(())
    }

    fn instruction(&mut self, instruction: &'s Instruction, place: Place) -> Result<(), Failure> {
        self.step()?;
        self.perform(&instruction.what, place).map_err(|failure| failure.at(instruction.line))
    }

    fn perform(&mut self, what: &'s What, place: Place) -> Result<(), Failure> {
        match what {
            What::Text { text, raw } => self.write(text, *raw),
            What::ValueOf { select, raw } => {
                let text = self.text(select, place)?;
                self.write(&text, *raw)
            }
            What::Literal(literal) => {
                self.open(literal.name.clone(), &literal.namespaces)?;
                self.use_sets(&literal.sets, place)?;
                for (name, value) in &literal.attributes {
                    let value = self.filled(value, place)?;
                    self.attribute(name.clone(), value)?;
                }
                self.inside(&literal.body, place)
            }
            What::Apply { select, mode, sorts, given } => {
                let nodes = match select {
                    Some(select) => self.nodes(select, place)?,
                    None => self.children(place.node),
                };
                let nodes = self.sort(nodes, sorts, place)?;
                let given = self.given(given, place)?;
                self.apply(&nodes, mode.as_ref(), given)
            }
            What::BuiltIn => self.built_in(place.node, self.mode, Vec::new()),
            What::Call { name, given } => {
                let given = self.given(given, place)?;
                let template = self.style.named.get(name).copied();
                let template = template.ok_or_else(|| Failure::new("there is no such template"))?;
                self.template(template, place, self.mode, given)
            }
            What::ForEach { select, sorts, body } => {
                let nodes = self.nodes(select, place)?;
                let nodes = self.sort(nodes, sorts, place)?;
                let size = nodes.len();
                for (index, node) in nodes.iter().copied().enumerate() {
                    self.body(body, Place { node, position: index + 1, size, current: node })?;
                }
                Ok(())
            }
            What::Choose { branches, otherwise } => {
                for (test, body) in branches {
                    if self.truth(test, place)? {
                        return self.body(body, place);
                    }
                }
                self.body(otherwise, place)
            }
            What::Copy { sets, body } => self.copy_shallow(sets, body, place),
            What::CopyOf(select) => match self.evaluate(select, place)? {
                Value::Nodes(nodes) => nodes.iter().try_for_each(|node| self.copy(*node)),
                Value::Fragment(root) => self.copy(root),
                other => {
                    let text = self.text_from(&other)?;
                    self.write(&text, false)
                }
            },
            What::Element { name, namespace, scope, sets, body } => {
                let name = self.made_name(name, namespace.as_ref(), scope, true, place)?;
                self.hold_name(&name);
                self.open(name, &[])?;
                self.use_sets(sets, place)?;
                self.inside(body, place)
            }
            What::Attribute { name, namespace, scope, body } => {
                let name = self.made_name(name, namespace.as_ref(), scope, false, place)?;
                let value = self.made_text(body, place)?;
                self.hold_name(&name);
                self.attribute(name, value)
            }
            What::Comment(body) => {
                let text = self.made_text(body, place)?;
                self.comment(divided(&text, '-', '-'))
            }
            What::Instruct { name, body } => {
                let name = self.filled(name, place)?;
                let text = self.made_text(body, place)?;
                let target = name.trim_matches(is_space);
                if !is_plain_name(target) || target.eq_ignore_ascii_case("xml") {
                    return Err(Failure::new(format!("'{target}' is no name of a processing instruction")));
                }
                self.instruct(target, divided(text.trim_start_matches(is_space), '?', '>'))
            }
            What::Number(numbering) => {
                let text = self.numbered(numbering, place)?;
                self.write(&text, false)
            }
            What::Variable(binding) | What::Parameter(binding) => {
                let value = self.bound(binding, place)?;
                self.declare(&binding.name, value);
                Ok(())
            }
            What::Message { body, ends } => {
                let text = self.made_text(body, place)?;
                if *ends {
                    return Err(Failure::new(format!("the stylesheet ends it: {text}")));
                }
                self.say(text);
                Ok(())
            }
            What::Result(value) => {
                let value = self.value(value, place)?;
                match self.results.last_mut() {
                    Some(result @ None) => *result = Some(value),
                    Some(_) => return Err(Failure::new("a function has two results")),
                    None => return Err(Failure::new("func:result needs a function")),
                }
                Ok(())
            }
            What::Unknown { fallback: Some(body), .. } => self.body(body, place),
            What::Unknown { name, fallback: None } => Err(Failure::new(format!("{name} is no instruction"))),
        }
    }

    /// Runs a body in the element that is open, and closes it.
    fn inside(&mut self, body: &'s Body, place: Place) -> Result<(), Failure> {
        self.body(body, place)?;
        self.close();
        Ok(())
    }

    fn copy_shallow(&mut self, sets: &'s [Name], body: &'s Body, place: Place) -> Result<(), Failure> {
        let tree = Arc::clone(&self.trees[place.node.tree as usize]);
        let data = tree.get(place.node.id);
        match data.kind {
            Kind::Root => self.body(body, place),
            Kind::Element => {
                self.open(data.name.clone().unwrap_or_else(|| Name::local("")), &data.namespaces)?;
                self.use_sets(sets, place)?;
                self.inside(body, place)
            }
            _ => self.copy(place.node),
        }
    }

    fn use_sets(&mut self, sets: &'s [Name], place: Place) -> Result<(), Failure> {
        let style: &'s Stylesheet = self.style;
        for name in sets {
            let parts = style.sets.get(name).map_or(&[][..], Vec::as_slice);
            for set in parts {
                self.deeper(|this| this.use_sets(&set.uses, place))?;
                self.body(&set.body, place)?;
            }
        }
        Ok(())
    }

    fn given(&mut self, bindings: &'s [Binding], place: Place) -> Result<Given<'s>, Failure> {
        bindings.iter().map(|binding| Ok((&binding.name, self.bound(binding, place)?))).collect()
    }

    pub fn bound(&mut self, binding: &'s Binding, place: Place) -> Result<Value, Failure> {
        self.value(&binding.value, place)
    }

    fn value(&mut self, bound: &'s Bound, place: Place) -> Result<Value, Failure> {
        match bound {
            Bound::Select(expression) => self.evaluate(expression, place),
            Bound::Body(body) if body.is_empty() => Ok(Value::text("")),
            Bound::Body(body) => {
                let tree = self.aside(|this| this.body(body, place))?;
                self.keep(tree).map(Value::Fragment)
            }
        }
    }
}

/// With a space wherever the second would follow the first, and behind the first at the end where both are the same.
fn divided(text: &str, first: char, second: char) -> String {
    let mut divided = String::with_capacity(text.len());
    let mut before = None;
    for c in text.chars() {
        if c == second && before == Some(first) {
            divided.push(' ');
        }
        divided.push(c);
        before = Some(c);
    }
    if first == second && before == Some(first) {
        divided.push(' ');
    }
    divided
}
