//! From the tree of a stylesheet to what is run (XSLT 1.0, sections 2 and 3). Everything is compiled here, so that a mistake
//! is told with its place before any document comes.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use roxmltree::TextPos;

use super::{
    AttributeSet, Body, Instruction, Rule, Stylesheet, Template, What, parts::Output, pattern::Pattern,
};
use crate::{
    Limits, Mistake,
    budget::{Charge, Clock, held},
    read::{Unread, read},
    tree::{Id, Kind, Name, Text, Tree},
    xpath::Scope,
};

pub(super) const FUNCTIONS: &str = "http://exslt.org/functions";

/// Compiles the text of a stylesheet.
pub fn compile(bytes: &[u8], limits: &Limits) -> Result<Stylesheet, Mistake> {
    let clock = Clock::new(limits);
    let mut found = read(bytes, limits.memory, true).map_err(|unread| match unread {
        Unread::Mistake(mistake) => mistake,
        Unread::Large => Mistake::new(1, 1, "it takes too much"),
    })?;
    let mut compiler = Compiler {
        tree: &found.tree,
        places: &found.places,
        aliases: HashMap::new(),
        sheet: empty(),
        function_uris: Vec::new(),
        calls: Vec::new(),
        version: 1.0,
        clock: RefCell::new((clock, Charge::default())),
        scopes: RefCell::default(),
        literals: HashMap::new(),
        globals: HashSet::new(),
    };
    compiler.all()?;
    let mut sheet = compiler.sheet;
    sheet.size = held();
    found.tree.settle();
    sheet.tree = Arc::new(found.tree);
    Ok(sheet)
}

fn empty() -> Stylesheet {
    Stylesheet {
        tree: Arc::default(),
        templates: Vec::new(),
        rules: HashMap::new(),
        named: HashMap::new(),
        globals: Vec::new(),
        keys: Vec::new(),
        sets: HashMap::new(),
        formats: HashMap::new(),
        spaces: Vec::new(),
        output: Output::default(),
        functions: HashMap::new(),
        size: 0,
    }
}

pub(super) struct Compiler<'t> {
    pub(super) tree: &'t Tree,
    pub(super) places: &'t HashMap<Id, TextPos>,
    /// From the URI in the stylesheet to that in the result (`xsl:namespace-alias`).
    pub(super) aliases: HashMap<Text, Text>,
    pub(super) sheet: Stylesheet,
    /// Namespaces of its own functions, which its elements do not declare.
    pub(super) function_uris: Vec<Text>,
    /// Templates that are called, and from where.
    pub(super) calls: Vec<(Name, Id)>,
    pub(super) version: f64,
    /// What it takes to compile: time, and bytes.
    pub(super) clock: RefCell<(Clock, Charge)>,
    /// What prefixes mean, by the element that declares the nearest of them.
    pub(super) scopes: RefCell<HashMap<Id, Scope>>,
    /// Namespaces of literal elements, by the element that last says something of them.
    pub(super) literals: HashMap<Id, Scope>,
    /// Variables and parameters of the stylesheet.
    pub(super) globals: HashSet<Name>,
}

pub(super) type Done<T> = Result<T, Mistake>;

impl Compiler<'_> {
    fn all(&mut self) -> Done<()> {
        let root = self.tree.children(0).find(|id| self.tree.get(*id).kind == Kind::Element);
        let root = root.ok_or_else(|| Mistake::new(1, 1, "it has no element"))?;
        match self.xsl(root).as_deref() {
            Some("stylesheet" | "transform") => {
                self.version = self.need(root, "version")?.trim().parse().unwrap_or(1.0);
                self.top(root)?;
            }
            _ if self.tree.attribute(root, Stylesheet::XSLT, "version").is_some() => {
                let instruction = Instruction { what: self.literal(root)?, line: self.line(root) };
                let pattern = Pattern { anchor: super::Anchor::Root, steps: Vec::new() };
                self.sheet.templates.push(Template { body: vec![instruction] });
                self.sheet.rules.insert(None, vec![Rule { pattern, priority: 0.5, template: 0 }]);
            }
            _ => {
                return Err(self.mistake(
                    root,
                    "it is no stylesheet: its element must be xsl:stylesheet of the namespace of XSLT",
                ));
            }
        }
        for (name, id) in &self.calls {
            if !self.sheet.named.contains_key(name) {
                return Err(self.mistake(*id, format!("there is no template '{}'", name.qualified())));
            }
        }
        for rules in self.sheet.rules.values_mut() {
            // Of those that are equal the last counts.
            rules.reverse();
            rules.sort_by(|one, other| other.priority.total_cmp(&one.priority));
        }
        Ok(())
    }

    fn top(&mut self, root: Id) -> Done<()> {
        let aliases =
            self.tree.children(root).filter(|id| self.xsl(*id).as_deref() == Some("namespace-alias"));
        for id in aliases.collect::<Vec<_>>() {
            let (from, to) = (self.need(id, "stylesheet-prefix")?, self.need(id, "result-prefix")?);
            let plain = |prefix: &str| if prefix == "#default" { String::new() } else { prefix.to_owned() };
            let (from, to) = (plain(from), plain(to));
            let uri = |prefix: &str| self.tree.namespace(id, prefix).unwrap_or_default();
            let (from, to_uri) = (uri(&from), uri(&to));
            self.aliases.insert(from, to_uri);
        }
        for id in self.tree.children(root).filter(|id| self.tree.get(*id).kind == Kind::Element) {
            if self.name(id).is(FUNCTIONS, "function")
                && let Some(name) = self.qualified(id, "name")?
            {
                self.function_uris.push(name.uri);
            }
            if matches!(self.xsl(id).as_deref(), Some("variable" | "param"))
                && let Some(name) = self.qualified(id, "name")?
                && !self.globals.insert(name.clone())
            {
                return Err(self.mistake(id, format!("${} is there twice", name.qualified())));
            }
        }
        for id in self.tree.children(root).filter(|id| self.tree.get(*id).kind == Kind::Element) {
            self.step(id, 1 << 10)?;
            let name = self.name(id);
            match self.xsl(id).as_deref() {
                Some("template") => self.template(id)?,
                Some("variable" | "param") => {
                    let binding = self.binding(id)?;
                    self.sheet.globals.push(binding);
                }
                Some("key") => self.key(id)?,
                Some("attribute-set") => {
                    let name =
                        self.qualified(id, "name")?.ok_or_else(|| self.mistake(id, "it has no name"))?;
                    let set = AttributeSet {
                        uses: self.names(id, "", "use-attribute-sets")?,
                        body: self.body(id)?,
                    };
                    self.sheet.sets.entry(name).or_default().push(set);
                }
                Some("decimal-format") => self.decimal_format(id)?,
                Some(kind @ ("strip-space" | "preserve-space")) => {
                    self.spaces(id, kind == "preserve-space")?
                }
                Some("output") => self.output(id)?,
                Some("namespace-alias") => {}
                Some(other @ ("import" | "include")) => {
                    return Err(
                        self.mistake(id, format!("xsl:{other} cannot be used: nothing is read from outside"))
                    );
                }
                Some(other) if self.version <= 1.0 => {
                    return Err(self.mistake(id, format!("xsl:{other} cannot stand here")));
                }
                Some(_) => {}
                None if name.is(FUNCTIONS, "function") => {
                    let name = self.qualified(id, "name")?.filter(|name| !name.uri.is_empty());
                    let name =
                        name.ok_or_else(|| self.mistake(id, "a function needs a name with a prefix"))?;
                    let body = self.body(id)?;
                    self.sheet.functions.insert(name, body);
                }
                None if name.uri.is_empty() => {
                    return Err(self.mistake(id, format!("<{}> cannot stand here", name.qualified())));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn template(&mut self, id: Id) -> Done<()> {
        let mode = self.qualified(id, "mode")?;
        let name = self.qualified(id, "name")?;
        let patterns = self.patterns(id, "match")?;
        if name.is_none() && patterns.is_empty() {
            return Err(self.mistake(id, "xsl:template has neither 'match' nor 'name'"));
        }
        let priority = match self.get(id, "priority") {
            Some(text) => {
                let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
                Some(number.ok_or_else(|| self.mistake(id, "'priority' of xsl:template is no number"))?)
            }
            None => None,
        };
        let body: Body = self.body(id)?;
        let template = self.sheet.templates.len();
        self.sheet.templates.push(Template { body });
        let rules = self.sheet.rules.entry(mode).or_default();
        for pattern in patterns {
            let priority = priority.unwrap_or_else(|| pattern.priority());
            rules.push(Rule { pattern, priority, template });
        }
        if let Some(name) = name
            && self.sheet.named.insert(name.clone(), template).is_some()
        {
            return Err(self.mistake(id, format!("the template '{}' is there twice", name.qualified())));
        }
        Ok(())
    }

    /// What no processor of version 1.0 knows is a mistake, where the stylesheet says that it is of version 1.0.
    pub(super) fn unknown(&mut self, id: Id, name: &str) -> Done<What> {
        let fallback = self.tree.children(id).filter(|child| self.xsl(*child).as_deref() == Some("fallback"));
        let fallback: Vec<Id> = fallback.collect();
        if fallback.is_empty() && self.version <= 1.0 {
            return Err(self.mistake(id, format!("{name} is no instruction")));
        }
        let mut body = Vec::new();
        for child in &fallback {
            body.append(&mut self.body(*child)?);
        }
        Ok(What::Unknown { name: name.to_owned(), fallback: (!fallback.is_empty()).then_some(body) })
    }
}
