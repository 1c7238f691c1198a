//! Elements of a stylesheet that stand for themselves (XSLT 1.0, section 7.1.1).

use super::{
    Avt, Literal, Stylesheet, What,
    compile::{Compiler, Done, FUNCTIONS},
    parts::avt,
};
use crate::{
    tree::{Id, Name, Text},
    value::is_space,
    xpath::Scope,
};

impl Compiler<'_> {
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
            let mut variables = Vec::new();
            let value = avt(value, &scope, &mut variables)
                .and_then(|value| self.known(id, &variables).map(|()| value));
            let value = value
                .map_err(|why| self.mistake(id, format!("the attribute '{}': {why}", name.qualified())))?;
            attributes.push((self.aliased(name, true), value));
        }
        let name = self.aliased(self.name(id), false);
        let namespaces = self.literal_namespaces(id)?;
        self.step(id, size_of::<Literal>() + attributes.len() * size_of::<(Name, Avt)>())?;
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
    fn literal_namespaces(&mut self, id: Id) -> Done<Scope> {
        let says = |id: Id| {
            let data = self.tree.get(id);
            let of = if self.xsl(id).is_some() { "" } else { Stylesheet::XSLT };
            !data.namespaces.is_empty()
                || self.tree.attribute(id, of, "exclude-result-prefixes").is_some()
                || self.tree.attribute(id, of, "extension-element-prefixes").is_some()
        };
        let last = self.nearest(id, says);
        if let Some(known) = self.literals.get(&last) {
            return Ok(Scope::clone(known));
        }
        let mut found: Vec<(Text, Text)> = Vec::new();
        for (prefix, uri) in self.tree.in_scope(id) {
            if let Some(alias) = self.aliases.get(&uri) {
                found.push((prefix, Text::clone(alias)));
                continue;
            }
            let excluded = *uri == *Stylesheet::XSLT
                || *uri == *FUNCTIONS
                || self.function_uris.contains(&uri)
                || self.lists(id, "exclude-result-prefixes", &uri)?
                || self.is_extension(id, &uri)?;
            if !excluded {
                found.push((prefix, uri));
            }
        }
        let found: Scope = found.into();
        self.literals.insert(last, Scope::clone(&found));
        Ok(found)
    }

    pub(super) fn is_extension(&self, id: Id, uri: &str) -> Done<bool> {
        Ok(!uri.is_empty() && self.lists(id, "extension-element-prefixes", uri)?)
    }

    /// Whether a list of prefixes on it or around it names a namespace.
    fn lists(&self, id: Id, attribute: &str, uri: &str) -> Done<bool> {
        for id in std::iter::once(id).chain(self.tree.ancestors(id)) {
            let of = if self.xsl(id).is_some() { "" } else { Stylesheet::XSLT };
            let list = self.tree.attribute(id, of, attribute).unwrap_or_default();
            self.work(id, list.len())?;
            let mut words = list.split(is_space).filter(|word| !word.is_empty());
            let found = words.any(|prefix| {
                let prefix = if prefix == "#default" { "" } else { prefix };
                self.tree.namespace(id, prefix).is_some_and(|known| *known == *uri)
            });
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
