//! One run of a stylesheet: its trees, its variables, what it makes, and how far it may go.

pub mod calculate;
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

use std::{
    collections::HashMap,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    Failure,
    style::{Binding, Stylesheet},
    tree::{Kind, Name, Tree},
    value::{Node, Value},
};

/// How far a run may go.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long it may take.
    pub time: Duration,
    /// Bytes that it may hold, what it makes included.
    pub memory: usize,
    /// How deep templates may call each other; 3000 in libxslt.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(5), memory: 64 << 20, depth: 3000 }
    }
}

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

/// The index of a key in one tree: nodes by their values.
type KeyIndex = Rc<HashMap<String, Vec<Node>>>;

/// A run.
pub struct Machine<'s> {
    pub style: &'s Stylesheet,
    trees: Vec<Arc<Tree>>,
    variables: Vec<(&'s Name, Value)>,
    /// Where the variables of the present template begin.
    frame: usize,
    globals: HashMap<&'s Name, Global>,
    keys: HashMap<(Name, u32), KeyIndex>,
    /// What is being made, the innermost last.
    making: Vec<output::Making>,
    /// The mode of the present template.
    mode: Option<&'s Name>,
    results: Vec<Value>,
    pub messages: Vec<String>,
    depth: usize,
    steps: u32,
    held: usize,
    limits: Limits,
    end: Instant,
}

impl<'s> Machine<'s> {
    pub fn new(style: &'s Stylesheet, source: Tree, limits: Limits) -> Self {
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
            steps: 0,
            held: 0,
            limits,
            end: Instant::now() + limits.time,
        }
    }

    /// Runs all of it.
    pub fn run(mut self) -> Result<(Tree, Vec<String>), Failure> {
        let root = Place::at(Node { tree: 0, id: 0 });
        for global in &self.style.globals {
            self.global(&global.name)?;
        }
        self.apply(&[root.node], None, Vec::new())?;
        let made = self.making.pop().unwrap_or_default();
        Ok((made.tree, self.messages))
    }

    pub fn tree(&self, node: Node) -> &Tree {
        &self.trees[node.tree as usize]
    }

    pub fn kind(&self, node: Node) -> Kind {
        self.tree(node).get(node.id).kind
    }

    /// Keeps a tree that was made, and gives its root.
    pub fn keep(&mut self, tree: Tree) -> Result<Node, Failure> {
        self.hold(tree.size())?;
        self.trees.push(Arc::new(tree));
        Ok(Node { tree: self.trees.len() as u32 - 1, id: 0 })
    }

    /// Counts memory.
    pub fn hold(&mut self, bytes: usize) -> Result<(), Failure> {
        self.held = self.held.saturating_add(bytes);
        if self.held > self.limits.memory {
            return Err(Failure::limit("it makes too much"));
        }
        Ok(())
    }

    /// Counts a step and looks at the clock from time to time.
    pub fn step(&mut self) -> Result<(), Failure> {
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_multiple_of(256) {
            self.look_at_clock()?;
        }
        Ok(())
    }

    pub fn look_at_clock(&mut self) -> Result<(), Failure> {
        if Instant::now() > self.end { Err(Failure::limit("it takes too long")) } else { Ok(()) }
    }

    /// The value of a variable or parameter.
    pub fn variable(&mut self, name: &'s Name) -> Result<Value, Failure> {
        let found = self.variables[self.frame..].iter().rev().find(|(known, _)| *known == name);
        match found {
            Some((_, value)) => Ok(value.clone()),
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
        if self.depth > self.limits.depth {
            return Err(Failure::limit("templates call each other too deeply"));
        }
        let done = stacker::maybe_grow(128 << 10, 2 << 20, || work(self));
        self.depth -= 1;
        done
    }
}
