//! From the tree of a stylesheet to what is run (XSLT 1.0, sections 2 and 3). Everything is compiled here, so that a mistake
//! is told with its place before any document comes.

use std::{collections::HashMap, sync::Arc};

use roxmltree::TextPos;

use super::{
    AttributeSet, Body, Instruction, Rule, Stylesheet, Template, What,
    parts::{Output, qualified},
    pattern::{Pattern, patterns},
};
use crate::{
    Mistake,
    read::read,
    tree::{Id, Kind, Name, Text, Tree},
    value::is_space,
    xpath::{Expression, Scope, parse},
};

pub(super) const FUNCTIONS: &str = "http://exslt.org/functions";

/// Compiles the text of a stylesheet.
pub fn compile(bytes: &[u8]) -> Result<Stylesheet, Mistake> {
    let found = read(bytes, true)?;
    let mut compiler = Compiler {
        tree: &found.tree,
        places: &found.places,
        aliases: HashMap::new(),
        sheet: empty(),
        function_uris: Vec::new(),
        calls: Vec::new(),
        version: 1.0,
    };
    compiler.all()?;
    let mut sheet = compiler.sheet;
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
    }
}

pub(super) struct Compiler<'t> {
    pub(super) tree: &'t Tree,
    places: &'t HashMap<Id, TextPos>,
    /// From the URI in the stylesheet to that in the result (`xsl:namespace-alias`).
    pub(super) aliases: HashMap<Text, Text>,
    pub(super) sheet: Stylesheet,
    /// Namespaces of its own functions, which its elements do not declare.
    pub(super) function_uris: Vec<Text>,
    /// Templates that are called, and from where.
    pub(super) calls: Vec<(Name, Id)>,
    pub(super) version: f64,
}

pub(super) type Done<T> = Result<T, Mistake>;

impl Compiler<'_> {
    pub(super) fn mistake(&self, id: Id, message: impl Into<String>) -> Mistake {
        let place = self.places.get(&id);
        Mistake::new(place.map_or(1, |place| place.row), place.map_or(1, |place| place.col), message)
    }

    pub(super) fn line(&self, id: Id) -> u32 {
        self.places.get(&id).map_or(0, |place| place.row)
    }

    pub(super) fn name(&self, id: Id) -> Name {
        self.tree.get(id).name.clone().unwrap_or_else(|| Name::local(""))
    }

    /// The name of an element of XSLT; nothing for any other.
    pub(super) fn xsl(&self, id: Id) -> Option<Text> {
        let name = self.tree.get(id).name.as_ref()?;
        (self.tree.get(id).kind == Kind::Element && *name.uri == *Stylesheet::XSLT)
            .then(|| Text::clone(&name.local))
    }

    pub(super) fn get(&self, id: Id, attribute: &str) -> Option<&str> {
        self.tree.attribute(id, "", attribute)
    }

    pub(super) fn need(&self, id: Id, attribute: &str) -> Done<&str> {
        let name = self.name(id).qualified();
        self.get(id, attribute)
            .ok_or_else(|| self.mistake(id, format!("{name} has no attribute '{attribute}'")))
    }

    pub(super) fn scope(&self, id: Id) -> Scope {
        self.tree.in_scope(id).into()
    }

    fn told(&self, id: Id, attribute: &str, why: String) -> Mistake {
        self.mistake(id, format!("'{attribute}' of {}: {why}", self.name(id).qualified()))
    }

    pub(super) fn expression(&self, id: Id, attribute: &str) -> Done<Option<Expression>> {
        let Some(text) = self.get(id, attribute) else { return Ok(None) };
        parse(text, &self.scope(id)).map(Some).map_err(|why| self.told(id, attribute, why))
    }

    pub(super) fn needed(&self, id: Id, attribute: &str) -> Done<Expression> {
        self.need(id, attribute)?;
        self.expression(id, attribute)?.ok_or_else(|| self.mistake(id, "an expression is missing"))
    }

    pub(super) fn patterns(&self, id: Id, attribute: &str) -> Done<Vec<Pattern>> {
        let Some(text) = self.get(id, attribute) else { return Ok(Vec::new()) };
        patterns(text, &self.scope(id)).map_err(|why| self.told(id, attribute, why))
    }

    pub(super) fn qualified(&self, id: Id, attribute: &str) -> Done<Option<Name>> {
        let Some(text) = self.get(id, attribute) else { return Ok(None) };
        qualified(text, &self.scope(id)).map(Some).map_err(|why| self.told(id, attribute, why))
    }

    pub(super) fn names(&self, id: Id, uri: &str, attribute: &str) -> Done<Vec<Name>> {
        let list = self.tree.attribute(id, uri, attribute).unwrap_or_default();
        let words = list.split(is_space).filter(|word| !word.is_empty());
        words
            .map(|word| qualified(word, &self.scope(id)).map_err(|why| self.told(id, attribute, why)))
            .collect()
    }

    pub(super) fn flag(&self, id: Id, attribute: &str) -> Done<Option<bool>> {
        match self.get(id, attribute) {
            None => Ok(None),
            Some("yes") => Ok(Some(true)),
            Some("no") => Ok(Some(false)),
            Some(_) => Err(self.told(id, attribute, "it must be yes or no".to_owned())),
        }
    }

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
        }
        for id in self.tree.children(root).filter(|id| self.tree.get(*id).kind == Kind::Element) {
            let name = self.name(id);
            match self.xsl(id).as_deref() {
                Some("template") => self.template(id)?,
                Some("variable" | "param") => {
                    let binding = self.binding(id)?;
                    if self.sheet.globals.iter().any(|known| known.name == binding.name) {
                        return Err(self.mistake(id, format!("${} is there twice", binding.name.qualified())));
                    }
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
