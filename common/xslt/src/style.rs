//! A stylesheet as it is run: templates, and what they are made of (XSLT 1.0).

mod body;
mod compile;
mod context;
mod declarations;
mod literal;
mod parts;
mod pattern;
pub mod sorts;

use std::{collections::HashMap, sync::Arc};

use crate::{
    Failure,
    budget::Clock,
    tree::{Id, Kind, Name, Tree},
    value::is_space,
    xpath::{Axis, Expression, Scope, Test},
};

pub use compile::compile;
pub use parts::{Avt, DecimalFormat, Output, Part};
pub use pattern::{Anchor, Pattern};

/// A compiled stylesheet.
#[derive(Debug)]
pub struct Stylesheet {
    /// What `document('')` is.
    pub tree: Arc<Tree>,
    pub templates: Vec<Template>,
    /// By mode, the best first.
    pub rules: HashMap<Option<Name>, Vec<Rule>>,
    pub named: HashMap<Name, usize>,
    pub globals: Vec<Binding>,
    pub keys: Vec<Key>,
    pub sets: HashMap<Name, Vec<AttributeSet>>,
    pub formats: HashMap<Option<Name>, DecimalFormat>,
    /// Elements whose white space is stripped or, where true, kept.
    pub spaces: Vec<(Test, bool)>,
    pub output: Output,
    /// The stylesheet's own functions (`func:function`).
    pub functions: HashMap<Name, Body>,
    /// Bytes that it takes, nearly.
    pub size: usize,
}

/// A template.
#[derive(Debug)]
pub struct Template {
    pub body: Body,
}

/// One of the patterns of a template.
#[derive(Debug)]
pub struct Rule {
    pub pattern: Pattern,
    pub priority: f64,
    pub template: usize,
}

#[derive(Debug)]
pub struct Key {
    pub name: Name,
    pub patterns: Vec<Pattern>,
    pub value: Expression,
}

#[derive(Debug)]
pub struct AttributeSet {
    pub uses: Vec<Name>,
    pub body: Body,
}

/// A variable or parameter and its value.
#[derive(Debug)]
pub struct Binding {
    pub name: Name,
    pub value: Bound,
}

#[derive(Debug)]
pub enum Bound {
    Select(Expression),
    Body(Body),
}

/// Instructions one after the other.
pub type Body = Vec<Instruction>;

#[derive(Debug)]
pub struct Instruction {
    pub what: What,
    /// Where it stands.
    pub line: u32,
}

/// What an instruction does.
#[derive(Debug)]
pub enum What {
    Text {
        text: String,
        raw: bool,
    },
    ValueOf {
        select: Expression,
        raw: bool,
    },
    Literal(Box<Literal>),
    Apply {
        select: Option<Expression>,
        mode: Option<Name>,
        sorts: Vec<Sort>,
        given: Vec<Binding>,
    },
    Call {
        name: Name,
        given: Vec<Binding>,
    },
    ForEach {
        select: Expression,
        sorts: Vec<Sort>,
        body: Body,
    },
    Choose {
        branches: Vec<(Expression, Body)>,
        otherwise: Body,
    },
    Copy {
        sets: Vec<Name>,
        body: Body,
    },
    CopyOf(Expression),
    Element {
        name: Avt,
        namespace: Option<Avt>,
        scope: Scope,
        sets: Vec<Name>,
        body: Body,
    },
    Attribute {
        name: Avt,
        namespace: Option<Avt>,
        scope: Scope,
        body: Body,
    },
    Comment(Body),
    Instruct {
        name: Avt,
        body: Body,
    },
    Number(Box<Numbering>),
    Variable(Binding),
    Parameter(Binding),
    Message {
        body: Body,
        ends: bool,
    },
    Result(Bound),
    /// What no processor of version 1.0 knows, and its fallback.
    Unknown {
        name: String,
        fallback: Option<Body>,
    },
    /// `xsl:apply-imports`, which without imports means the built-in rules.
    BuiltIn,
}

/// An element that is made as it stands.
#[derive(Debug)]
pub struct Literal {
    pub name: Name,
    pub namespaces: Scope,
    pub attributes: Vec<(Name, Avt)>,
    pub sets: Vec<Name>,
    pub body: Body,
}

#[derive(Debug)]
pub struct Sort {
    pub select: Expression,
    pub numeric: Option<Avt>,
    pub order: Option<Avt>,
    pub lang: Option<Avt>,
    pub case_order: Option<Avt>,
}

#[derive(Debug)]
pub struct Numbering {
    pub value: Option<Expression>,
    pub level: Level,
    pub count: Vec<Pattern>,
    pub from: Vec<Pattern>,
    pub format: Option<Avt>,
    pub separator: Option<Avt>,
    pub group: Option<Avt>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Single,
    Multiple,
    Any,
}

impl Stylesheet {
    /// The namespace of XSLT.
    pub const XSLT: &'static str = "http://www.w3.org/1999/XSL/Transform";
}

/// Whether an element is an instruction of XSLT 1.0.
pub fn is_instruction(name: &Name) -> bool {
    const KNOWN: [&str; 19] = [
        "apply-imports",
        "apply-templates",
        "attribute",
        "call-template",
        "choose",
        "comment",
        "copy",
        "copy-of",
        "element",
        "fallback",
        "for-each",
        "if",
        "message",
        "number",
        "processing-instruction",
        "sort",
        "text",
        "value-of",
        "variable",
    ];
    (*name.uri == *Stylesheet::XSLT && KNOWN.contains(&&*name.local)) || name.is(compile::FUNCTIONS, "result")
}

impl Stylesheet {
    /// Takes white space out of a document where `xsl:strip-space` says so (section 3.4); as in libxslt, `xml:space` in the
    /// document does not keep it.
    pub fn strip(&self, tree: &mut Tree, clock: &mut Clock) -> Result<(), Failure> {
        if self.spaces.is_empty() {
            return Ok(());
        }
        let mut stripped = Vec::new();
        for id in tree.descendants(0) {
            clock.step()?;
            let data = tree.get(id);
            if data.kind == Kind::Text {
                clock.work(self.spaces.len() + data.value.len())?;
            }
            if data.kind == Kind::Text && data.value.chars().all(is_space) && !self.keeps(tree, id) {
                stripped.push(id);
            }
        }
        stripped.into_iter().for_each(|id| tree.unlink(id));
        Ok(())
    }

    fn keeps(&self, tree: &Tree, text: Id) -> bool {
        let Some(element) = tree.parent(text) else { return true };
        // The best of the tests counts, and of equal ones the last.
        let rank = |test: &Test| match test {
            Test::Named(_) => 2,
            Test::All(Some(_)) => 1,
            _ => 0,
        };
        let fits = self.spaces.iter().filter(|(test, _)| test.passes(tree, element, Axis::Child));
        fits.max_by_key(|(test, _)| rank(test)).is_none_or(|(_, kept)| *kept)
    }
}
