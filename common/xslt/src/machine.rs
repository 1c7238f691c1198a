//! One run of a stylesheet: its trees, its variables, what it makes, and how far it may go.

pub mod calculate;
pub mod calendar;
pub mod dates;
pub mod decimal;
pub mod evaluate;
pub mod exslt;
pub mod functions;
pub mod instructions;
pub mod making;
pub mod matching;
pub mod moments;
pub mod numbering;
pub mod output;
pub mod sorting;
pub mod spans;

use std::{collections::HashMap, rc::Rc, sync::Arc};

pub use making::is_plain_name;

use crate::{
    Failure,
    budget::{Charge, Clock, Limits},
    style::{Binding, Stylesheet},
    tree::{Kind, Name, Tree},
    value::{Node, Value},
};

/// Bytes of the stack that a body in a body takes, at most.
const FRAME: usize = 2 << 10;
/// Stack that there must be, and that is added.
pub const RED: usize = 128 << 10;
pub const STACK: usize = 2 << 20;
/// Elements with namespaces or attributes beyond this are refused: to find one among them takes as long.
pub const MAX_PARTS: usize = 1000;
/// The most messages that are kept.
const MAX_MESSAGES: usize = 100;

/// Where an expression is evaluated.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub node: Node,
    pub position: usize,
    pub size: usize,
    /// What `current()` is.
    pub current: Node,
}

impl Place {
    pub fn at(node: Node) -> Self {
        Self { node, position: 1, size: 1, current: node }
    }
}

/// A global variable.
enum Global {
    /// Being evaluated: to ask for it now is a circle.
    Open,
    Known(Value),
}

/// A variable that is known, and what its place costs.
type Variable<'s> = (&'s Name, Value, Charge);

/// A run.
pub struct Machine<'s> {
    pub style: &'s Stylesheet,
    trees: Vec<Arc<Tree>>,
    variables: Vec<Variable<'s>>,
    /// Where the variables of the present template begin.
    frame: usize,
    globals: HashMap<&'s Name, Global>,
    keys: HashMap<(Name, u32), Rc<matching::Keyed>>,
    /// What is being made, the innermost last.
    making: Vec<output::Making>,
    /// The mode of the present template.
    mode: Option<&'s Name>,
    /// The results of the functions that are open, the innermost last.
    results: Vec<Option<Value>>,
    messages: Vec<String>,
    depth: usize,
    most: usize,
    pub clock: Clock,
}

impl<'s> Machine<'s> {
    pub fn new(style: &'s Stylesheet, source: Tree, limits: &Limits, clock: Clock) -> Self {
        Self {
            style,
            trees: vec![Arc::new(source), Arc::clone(&style.tree)],
            variables: Vec::new(),
            frame: 0,
            globals: HashMap::new(),
            keys: HashMap::new(),
            making: vec![output::Making::default()],
            mode: None,
            results: Vec::new(),
            messages: Vec::new(),
            depth: 0,
            most: limits.depth,
            clock,
        }
    }

    /// Runs all of it.
    pub fn run(mut self) -> Result<(Tree, Vec<String>, Clock), Failure> {
        let root = Place::at(Node { tree: 0, id: 0 });
        for global in &self.style.globals {
            self.global(&global.name)?;
        }
        self.apply(&[root.node], None, Vec::new())?;
        let made = self.making.pop().unwrap_or_default();
        Ok((made.tree, self.messages, self.clock))
    }

    pub fn tree(&self, node: Node) -> &Tree {
        &self.trees[node.tree as usize]
    }

    pub fn kind(&self, node: Node) -> Kind {
        self.tree(node).get(node.id).kind
    }

    /// Keeps a tree that was made, and gives its root.
    pub fn keep(&mut self, tree: Tree) -> Result<Node, Failure> {
        self.clock.room(0)?;
        self.trees.push(Arc::new(tree));
        Ok(Node { tree: self.trees.len() as u32 - 1, id: 0 })
    }

    /// Counts a step.
    pub fn step(&mut self) -> Result<(), Failure> {
        self.clock.step()
    }

    /// Keeps what the stylesheet has to say.
    pub fn say(&mut self, text: String) {
        if self.messages.len() < MAX_MESSAGES {
            self.messages.push(text);
        }
    }

    pub fn declare(&mut self, name: &'s Name, value: Value) {
        self.variables.push((name, value, Charge::new(size_of::<Variable<'_>>())));
    }

    /// The value of a variable or parameter.
    pub fn variable(&mut self, name: &'s Name) -> Result<Value, Failure> {
        let found = self.variables[self.frame..].iter().rev().find(|(known, ..)| *known == name);
        match found {
            Some((_, value, _)) => Ok(value.clone()),
            None => self.global(name),
        }
    }

    fn global(&mut self, name: &Name) -> Result<Value, Failure> {
        match self.globals.get(name) {
            Some(Global::Known(value)) => return Ok(value.clone()),
            Some(Global::Open) => {
                return Err(Failure::new(format!("${} depends on itself", name.qualified())));
            }
            None => {}
        }
        let binding: &'s Binding = self
            .style
            .globals
            .iter()
            .find(|global| global.name == *name)
            .ok_or_else(|| Failure::new(format!("${} is not known here", name.qualified())))?;
        self.globals.insert(&binding.name, Global::Open);
        let (variables, frame) = (std::mem::take(&mut self.variables), std::mem::take(&mut self.frame));
        let value = self.bound(binding, Place::at(Node { tree: 0, id: 0 }));
        (self.variables, self.frame) = (variables, frame);
        let value = value?;
        self.globals.insert(&binding.name, Global::Known(value.clone()));
        Ok(value)
    }

    /// Runs deeper, on more stack where it is needed.
    pub fn deeper<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, Failure> {
        self.depth += 1;
        if self.depth > self.most {
            return Err(Failure::limit("templates call each other too deeply"));
        }
        let done = self.stacked(work);
        self.depth -= 1;
        done
    }

    /// Runs on more stack where it is needed; that is memory as well.
    pub fn stacked<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, Failure> {
        let _frame = Charge::new(FRAME);
        self.clock.room(0)?;
        stacker::maybe_grow(RED, STACK, || work(self))
    }
}
