//! What an element of a stylesheet says in its attributes, and what it takes to compile it.

use super::{
    Stylesheet,
    compile::{Compiler, Done},
    parts::qualified,
    pattern::{Pattern, patterns},
};
use crate::{
    Mistake,
    tree::{Id, Kind, Name, Text},
    value::is_space,
    xpath::{Expression, Scope, parse},
};

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

    /// The nearest element, this one or one around it, of which something is so.
    pub(super) fn nearest(&self, id: Id, is_so: impl Fn(Id) -> bool) -> Id {
        std::iter::once(id).chain(self.tree.ancestors(id)).find(|id| is_so(*id)).unwrap_or(0)
    }

    pub(super) fn scope(&self, id: Id) -> Scope {
        let declaring = self.nearest(id, |id| !self.tree.get(id).namespaces.is_empty());
        let mut scopes = self.scopes.borrow_mut();
        Scope::clone(scopes.entry(declaring).or_insert_with(|| {
            let scope = self.tree.in_scope(declaring);
            self.count(scope.len() * size_of::<(Text, Text)>());
            scope.into()
        }))
    }

    fn count(&self, bytes: usize) {
        self.clock.borrow_mut().1.grow(bytes);
    }

    /// Counts an element and what is made of it.
    pub(super) fn step(&self, id: Id, bytes: usize) -> Done<()> {
        self.count(bytes);
        self.work(id, 16)
    }

    /// Counts work that is done for an element.
    pub(super) fn work(&self, id: Id, amount: usize) -> Done<()> {
        let done = self.clock.borrow_mut().0.work(amount);
        done.map_err(|_| self.mistake(id, "it takes too much to compile"))
    }

    pub(super) fn told(&self, id: Id, attribute: &str, why: String) -> Mistake {
        self.mistake(id, format!("'{attribute}' of {}: {why}", self.name(id).qualified()))
    }

    pub(super) fn expression(&self, id: Id, attribute: &str) -> Done<Option<Expression>> {
        let Some(text) = self.get(id, attribute) else { return Ok(None) };
        let mut variables = Vec::new();
        let read = parse(text, &self.scope(id), &mut variables);
        let read = read.and_then(|read| self.known(id, &variables).map(|()| Some(read)));
        read.map_err(|why| self.told(id, attribute, why))
    }

    /// Whether variables are known where an element stands: those of the stylesheet, and those that are declared before it or
    /// before what it stands in (section 11.5).
    pub(super) fn known(&self, id: Id, variables: &[Name]) -> Result<(), String> {
        for name in variables.iter().filter(|name| !self.globals.contains(*name)) {
            let mut around = std::iter::once(id).chain(self.tree.ancestors(id));
            let mut looked = 0;
            let found = around.any(|id| {
                let mut before = std::iter::successors(self.tree.previous(id), |id| self.tree.previous(*id));
                before.any(|id| {
                    looked += 1;
                    self.declares(id, name)
                })
            });
            self.work(id, looked).map_err(|mistake| mistake.message)?;
            if !found {
                return Err(format!("there is no variable '${}'", name.qualified()));
            }
        }
        Ok(())
    }

    fn declares(&self, id: Id, name: &Name) -> bool {
        let is_variable = matches!(self.xsl(id).as_deref(), Some("variable" | "param"));
        let written = self.get(id, "name").filter(|written| {
            // The prefix may be another, the rest is not.
            is_variable && written.trim().rsplit(':').next() == Some(&*name.local)
        });
        written.is_some_and(|written| qualified(written, &self.scope(id)).as_ref() == Ok(name))
    }

    pub(super) fn needed(&self, id: Id, attribute: &str) -> Done<Expression> {
        self.need(id, attribute)?;
        self.expression(id, attribute)?.ok_or_else(|| self.mistake(id, "an expression is missing"))
    }

    pub(super) fn patterns(&self, id: Id, attribute: &str) -> Done<Vec<Pattern>> {
        let Some(text) = self.get(id, attribute) else { return Ok(Vec::new()) };
        let mut variables = Vec::new();
        let read = patterns(text, &self.scope(id), &mut variables);
        let read = read.and_then(|read| self.known(id, &variables).map(|()| read));
        read.map_err(|why| self.told(id, attribute, why))
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
}
