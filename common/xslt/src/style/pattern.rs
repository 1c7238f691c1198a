//! Patterns (XSLT 1.0, section 5.2): paths that are read from their end.

use crate::{
    tree::Name,
    xpath::{Axis, Expression, Scope, Start, Step, Test, parse},
};

/// One alternative of a pattern.
#[derive(Debug)]
pub struct Pattern {
    pub anchor: Anchor,
    /// Each with whether anything may lie between it and what stands before it.
    pub steps: Vec<(Step, bool)>,
}

/// What the first step is looked for under.
#[derive(Debug)]
pub enum Anchor {
    Anywhere,
    Root,
    /// The nodes of `id()` or `key()`.
    Nodes(Expression),
}

impl Pattern {
    /// The priority of a template that says none (section 5.5).
    pub fn priority(&self) -> f64 {
        let [(step, _)] = self.steps.as_slice() else { return 0.5 };
        if !matches!(self.anchor, Anchor::Anywhere) || !step.predicates.is_empty() {
            return 0.5;
        }
        match step.test {
            Test::Named(_) | Test::Instruction(Some(_)) => 0.0,
            Test::All(Some(_)) => -0.25,
            _ => -0.5,
        }
    }
}

/// Reads a pattern.
pub fn patterns(text: &str, scope: &Scope, variables: &mut Vec<Name>) -> Result<Vec<Pattern>, String> {
    let mut found = Vec::new();
    alternatives(parse(text, scope, variables)?, &mut found)?;
    Ok(found)
}

fn alternatives(expression: Expression, found: &mut Vec<Pattern>) -> Result<(), String> {
    match expression {
        Expression::Union(left, right) => {
            alternatives(*left, found)?;
            alternatives(*right, found)
        }
        Expression::Path(start, steps) => {
            let anchor = match start {
                Start::Here => Anchor::Anywhere,
                Start::Root => Anchor::Root,
                Start::From(inner) => nodes(*inner)?,
            };
            found.push(Pattern { anchor, steps: joined(steps)? });
            Ok(())
        }
        other => {
            found.push(Pattern { anchor: nodes(other)?, steps: Vec::new() });
            Ok(())
        }
    }
}

fn nodes(expression: Expression) -> Result<Anchor, String> {
    match &expression {
        Expression::Call(call) if call.name.uri.is_empty() && matches!(&*call.name.local, "id" | "key") => {
            Ok(Anchor::Nodes(expression))
        }
        _ => Err("a pattern is made of steps down, id() and key() alone".to_owned()),
    }
}

fn joined(steps: Vec<Step>) -> Result<Vec<(Step, bool)>, String> {
    let mut found = Vec::new();
    let mut loose = false;
    for step in steps {
        match step.axis {
            Axis::DescendantOrSelf if step.predicates.is_empty() => loose = true,
            Axis::Child | Axis::Attribute => found.push((step, std::mem::take(&mut loose))),
            _ => return Err("a pattern goes down to children and attributes alone".to_owned()),
        }
    }
    if loose { Err("a pattern cannot end in '//'".to_owned()) } else { Ok(found) }
}
