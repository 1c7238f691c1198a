//! Bodies of templates: instructions and literal elements (XSLT 1.0, sections 5 to 11 and 13).

use super::{
    Binding, Body, Bound, Instruction, Level, Literal, Numbering, Sort, Stylesheet, What,
    compile::{Compiler, Done, FUNCTIONS},
    parts::{Avt, avt},
};
use crate::{
    tree::{Id, Kind, Name, Text, XML},
    value::is_space,
    xpath::{Axis, Expression, Start, Step, Test},
};

/// Elements of XSLT that are read with what they stand in.
const PARTS: [&str; 4] = ["sort", "with-param", "fallback", "import"];

impl Compiler<'_> {
    /// What stands in an element, white space between elements left out.
    pub(super) fn body(&mut self, parent: Id) -> Done<Body> {
        let mut body = Vec::new();
        for id in self.tree.children(parent).collect::<Vec<_>>() {
            match self.tree.get(id).kind {
                Kind::Text => {
                    let text = &self.tree.get(id).value;
                    if !text.chars().all(is_space) || self.keeps_space(parent) {
                        let what = What::Text { text: text.clone(), raw: false };
                        body.push(Instruction { what, line: self.line(parent) });
                    }
                }
                Kind::Element => {
                    let skipped = self.xsl(id).is_some_and(|name| PARTS.contains(&&*name));
                    if !skipped {
                        let what = self.instruction(id)?;
                        body.push(Instruction { what, line: self.line(id) });
                    }
                }
                _ => {}
            }
        }
        Ok(body)
    }

    fn keeps_space(&self, id: Id) -> bool {
        let own = std::iter::once(id).chain(self.tree.ancestors(id));
        own.filter_map(|id| self.tree.attribute(id, XML, "space")).next() == Some("preserve")
    }

    fn instruction(&mut self, id: Id) -> Done<What> {
        let Some(name) = self.xsl(id) else {
            return match self.name(id) {
                name if name.is(FUNCTIONS, "result") => Ok(What::Result(self.bound(id)?)),
                name if self.is_extension(id, &name.uri) => self.unknown(id, &name.qualified()),
                _ => self.literal(id),
            };
        };
        Ok(match &*name {
            "apply-templates" => What::Apply {
                select: self.expression(id, "select")?,
                mode: self.qualified(id, "mode")?,
                sorts: self.sorts(id)?,
                given: self.given(id)?,
            },
            "apply-imports" => What::BuiltIn,
            "call-template" => {
                self.need(id, "name")?;
                let name = self.qualified(id, "name")?.unwrap_or_else(|| Name::local(""));
                self.calls.push((name.clone(), id));
                What::Call { name, given: self.given(id)? }
            }
            "for-each" => What::ForEach {
                select: self.needed(id, "select")?,
                sorts: self.sorts(id)?,
                body: self.body(id)?,
            },
            "if" => What::Choose {
                branches: vec![(self.needed(id, "test")?, self.body(id)?)],
                otherwise: Vec::new(),
            },
            "choose" => self.choose(id)?,
            "value-of" => {
                let raw = self.flag(id, "disable-output-escaping")?.unwrap_or_default();
                What::ValueOf { select: self.needed(id, "select")?, raw }
            }
            "text" => {
                let raw = self.flag(id, "disable-output-escaping")?.unwrap_or_default();
                if self.tree.children(id).any(|child| self.tree.get(child).kind == Kind::Element) {
                    return Err(self.mistake(id, "xsl:text holds text alone"));
                }
                What::Text { text: self.tree.text(id), raw }
            }
            "copy" => What::Copy { sets: self.names(id, "", "use-attribute-sets")?, body: self.body(id)? },
            "copy-of" => What::CopyOf(self.needed(id, "select")?),
            "element" => What::Element {
                name: self.template_of(id, "name", true)?.unwrap_or_default(),
                namespace: self.template_of(id, "namespace", false)?,
                scope: self.scope(id),
                sets: self.names(id, "", "use-attribute-sets")?,
                body: self.body(id)?,
            },
            "attribute" => What::Attribute {
                name: self.template_of(id, "name", true)?.unwrap_or_default(),
                namespace: self.template_of(id, "namespace", false)?,
                scope: self.scope(id),
                body: self.body(id)?,
            },
            "comment" => What::Comment(self.body(id)?),
            "processing-instruction" => What::Instruct {
                name: self.template_of(id, "name", true)?.unwrap_or_default(),
                body: self.body(id)?,
            },
            "number" => What::Number(Box::new(self.numbering(id)?)),
            "variable" => What::Variable(self.binding(id)?),
            "param" => What::Parameter(self.binding(id)?),
            "message" => {
                What::Message { body: self.body(id)?, ends: self.flag(id, "terminate")?.unwrap_or_default() }
            }
            other => {
                let name = format!("xsl:{other}");
                self.unknown(id, &name)?
            }
        })
    }

    fn choose(&mut self, id: Id) -> Done<What> {
        let (mut branches, mut otherwise) = (Vec::new(), Vec::new());
        for child in self
            .tree
            .children(id)
            .filter(|child| self.tree.get(*child).kind == Kind::Element)
            .collect::<Vec<_>>()
        {
            match self.xsl(child).as_deref() {
                Some("when") => branches.push((self.needed(child, "test")?, self.body(child)?)),
                Some("otherwise") => otherwise = self.body(child)?,
                _ => return Err(self.mistake(child, "xsl:choose holds xsl:when and xsl:otherwise alone")),
            }
        }
        if branches.is_empty() {
            return Err(self.mistake(id, "xsl:choose has no xsl:when"));
        }
        Ok(What::Choose { branches, otherwise })
    }

    pub(super) fn binding(&mut self, id: Id) -> Done<Binding> {
        self.need(id, "name")?;
        let name = self.qualified(id, "name")?.unwrap_or_else(|| Name::local(""));
        Ok(Binding { name, value: self.bound(id)? })
    }

    fn bound(&mut self, id: Id) -> Done<Bound> {
        match self.expression(id, "select")? {
            Some(expression) => Ok(Bound::Select(expression)),
            None => Ok(Bound::Body(self.body(id)?)),
        }
    }

    fn parts_named(&self, id: Id, name: &str) -> Vec<Id> {
        self.tree.children(id).filter(|child| self.xsl(*child).as_deref() == Some(name)).collect()
    }

    fn given(&mut self, id: Id) -> Done<Vec<Binding>> {
        self.parts_named(id, "with-param").into_iter().map(|id| self.binding(id)).collect()
    }

    fn sorts(&mut self, id: Id) -> Done<Vec<Sort>> {
        let here = || {
            Expression::Path(
                Start::Here,
                vec![Step { axis: Axis::Itself, test: Test::Any, predicates: Vec::new() }],
            )
        };
        let sort = |this: &mut Self, id| {
            Ok(Sort {
                select: this.expression(id, "select")?.unwrap_or_else(here),
                numeric: this.template_of(id, "data-type", false)?,
                order: this.template_of(id, "order", false)?,
            })
        };
        self.parts_named(id, "sort").into_iter().map(|id| sort(self, id)).collect()
    }

    fn numbering(&mut self, id: Id) -> Done<Numbering> {
        let level = match self.get(id, "level") {
            None | Some("single") => Level::Single,
            Some("multiple") => Level::Multiple,
            Some("any") => Level::Any,
            Some(_) => return Err(self.mistake(id, "'level' must be single, multiple or any")),
        };
        Ok(Numbering {
            value: self.expression(id, "value")?,
            level,
            count: self.patterns(id, "count")?,
            from: self.patterns(id, "from")?,
            format: self.template_of(id, "format", false)?,
            separator: self.template_of(id, "grouping-separator", false)?,
            group: self.template_of(id, "grouping-size", false)?,
        })
    }

    fn template_of(&self, id: Id, attribute: &str, needed: bool) -> Done<Option<Avt>> {
        if needed {
            self.need(id, attribute)?;
        }
        let Some(text) = self.get(id, attribute) else { return Ok(None) };
        let read = avt(text, &self.scope(id));
        read.map(Some)
            .map_err(|why| self.mistake(id, format!("'{attribute}' of {}: {why}", self.name(id).qualified())))
    }

    /// An element that stands for itself.
    pub(super) fn literal(&mut self, id: Id) -> Done<What> {
        let scope = self.scope(id);
        let mut attributes = Vec::new();
        for attribute in &self.tree.get(id).attributes {
            let name = self.name(*attribute);
            if *name.uri == *Stylesheet::XSLT {
                continue;
            }
            let value = &self.tree.get(*attribute).value;
            let value = avt(value, &scope)
                .map_err(|why| self.mistake(id, format!("the attribute '{}': {why}", name.qualified())))?;
            attributes.push((self.aliased(name, true), value));
        }
        let name = self.aliased(self.name(id), false);
        let mut namespaces = self.literal_namespaces(id);
        // Its own comes first.
        namespaces.sort_by_key(|(prefix, _)| *prefix != name.prefix);
        let literal = Literal {
            name,
            namespaces,
            attributes,
            sets: self.names(id, Stylesheet::XSLT, "use-attribute-sets")?,
            body: self.body(id)?,
        };
        Ok(What::Literal(Box::new(literal)))
    }

    fn aliased(&self, name: Name, is_attribute: bool) -> Name {
        let found = self.aliases.get(&name.uri).filter(|_| !(is_attribute && name.uri.is_empty()));
        match found {
            Some(uri) => Name { uri: Text::clone(uri), ..name },
            None => name,
        }
    }

    /// Those in scope that are not excluded.
    fn literal_namespaces(&self, id: Id) -> Vec<(Text, Text)> {
        let excluded = |uri: &Text| {
            **uri == *Stylesheet::XSLT
                || **uri == *FUNCTIONS
                || self.function_uris.contains(uri)
                || self.lists(id, "exclude-result-prefixes", uri)
                || self.is_extension(id, uri)
        };
        let mut found: Vec<(Text, Text)> = Vec::new();
        for (prefix, uri) in self.tree.in_scope(id) {
            match self.aliases.get(&uri) {
                Some(alias) => found.push((prefix, Text::clone(alias))),
                None if !excluded(&uri) => found.push((prefix, uri)),
                None => {}
            }
        }
        found
    }

    fn is_extension(&self, id: Id, uri: &str) -> bool {
        !uri.is_empty() && self.lists(id, "extension-element-prefixes", uri)
    }

    /// Whether a list of prefixes on it or around it names a namespace.
    fn lists(&self, id: Id, attribute: &str, uri: &str) -> bool {
        let own = std::iter::once(id).chain(self.tree.ancestors(id));
        own.filter(|id| self.tree.get(*id).kind == Kind::Element).any(|id| {
            let of = if self.xsl(id).is_some() { "" } else { Stylesheet::XSLT };
            let list = self.tree.attribute(id, of, attribute).unwrap_or_default();
            list.split(is_space).filter(|word| !word.is_empty()).any(|prefix| {
                let prefix = if prefix == "#default" { "" } else { prefix };
                self.tree.namespace(id, prefix).is_some_and(|known| *known == *uri)
            })
        })
    }
}
