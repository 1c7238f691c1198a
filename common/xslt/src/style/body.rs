//! Bodies of templates: instructions and literal elements (XSLT 1.0, sections 5 to 11 and 13).

use super::{
    Binding, Body, Bound, Instruction, Level, Numbering, Sort, What,
    compile::{Compiler, Done, FUNCTIONS},
    parts::{Avt, Part, avt},
    sorts::{CASE_ORDERS, DATA_TYPES, MAX_SORTS, ORDERS, is_language},
};
use crate::{
    machine::{RED, STACK},
    tree::{Id, Kind, Name, XML},
    value::is_space,
    xpath::{Axis, Expression, Start, Step, Test},
};

/// Elements of XSLT that are read with what they stand in.
const PARTS: [&str; 4] = ["sort", "with-param", "fallback", "import"];

impl Compiler<'_> {
    /// What stands in an element, white space between elements left out.
    pub(super) fn body(&mut self, parent: Id) -> Done<Body> {
        stacker::maybe_grow(RED, STACK, || self.body_of(parent))
    }

    fn body_of(&mut self, parent: Id) -> Done<Body> {
        let mut body = Vec::new();
        for id in self.tree.children(parent).collect::<Vec<_>>() {
            self.step(id, size_of::<Instruction>() + self.tree.get(id).value.len())?;
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
                name if self.is_extension(id, &name.uri)? => self.unknown(id, &name.qualified()),
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
                numeric: this.one_of(id, "data-type", |word| DATA_TYPES.contains(&word))?,
                order: this.one_of(id, "order", |word| ORDERS.contains(&word))?,
                lang: this.one_of(id, "lang", is_language)?,
                case_order: this.one_of(id, "case-order", |word| CASE_ORDERS.contains(&word))?,
            })
        };
        let parts = self.parts_named(id, "sort");
        if let Some(id) = parts.get(MAX_SORTS) {
            return Err(self.mistake(*id, format!("there are more than {MAX_SORTS} xsl:sort")));
        }
        parts.into_iter().map(|id| sort(self, id)).collect()
    }

    /// A text with expressions; one that has none must be good.
    fn one_of(&self, id: Id, attribute: &str, good: impl Fn(&str) -> bool) -> Done<Option<Avt>> {
        let found = self.template_of(id, attribute, false)?;
        match found.as_deref() {
            Some([Part::Text(text)]) if !good(text) => {
                Err(self.told(id, attribute, format!("'{text}' is not there")))
            }
            Some([]) => Err(self.told(id, attribute, "it is empty".to_owned())),
            _ => Ok(found),
        }
    }

    fn numbering(&mut self, id: Id) -> Done<Numbering> {
        let level = match self.get(id, "level") {
            None | Some("single") => Level::Single,
            Some("multiple") => Level::Multiple,
            Some("any") => Level::Any,
            Some(_) => return Err(self.mistake(id, "'level' must be single, multiple or any")),
        };
        // Numbers are those of English: 1, 01, a, A, i and I.
        self.one_of(id, "lang", |lang| lang.eq_ignore_ascii_case("en"))?;
        self.one_of(id, "letter-value", |_| false)?;
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

    pub(super) fn template_of(&self, id: Id, attribute: &str, needed: bool) -> Done<Option<Avt>> {
        if needed {
            self.need(id, attribute)?;
        }
        let Some(text) = self.get(id, attribute) else { return Ok(None) };
        let mut variables = Vec::new();
        let read = avt(text, &self.scope(id), &mut variables);
        read.and_then(|read| self.known(id, &variables).map(|()| Some(read)))
            .map_err(|why| self.mistake(id, format!("'{attribute}' of {}: {why}", self.name(id).qualified())))
    }
}
