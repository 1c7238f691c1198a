//! What stands between operators: numbers, texts, variables, calls; and what names mean (XPath 1.0, sections 3.1, 3.2 and 3.7).

use std::sync::Arc;

use super::{
    Call, Expression, functions,
    lexer::Token,
    parser::{Parsed, Parser},
};
use crate::tree::{Name, Text};

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Parsed {
        let token = self.peek().cloned().ok_or("an expression is missing")?;
        self.next += 1;
        match token {
            Token::Number(number) => Ok(Expression::Number(number)),
            Token::Literal(text) => Ok(Expression::Literal(text.into())),
            Token::Variable(name) => {
                let name = self.resolve(&name)?;
                self.variables.push(name.clone());
                Ok(Expression::Variable(name))
            }
            Token::Sign("(") => {
                let found = self.or()?;
                self.expect(")")?;
                Ok(found)
            }
            Token::Name(name) => self.call(&name),
            Token::Sign(sign) => Err(format!("'{sign}' is not expected")),
        }
    }

    fn call(&mut self, name: &str) -> Parsed {
        let name = self.resolve(name)?;
        self.expect("(")?;
        let mut arguments = Vec::new();
        while !self.take(")") {
            if !arguments.is_empty() {
                self.expect(",")?;
            }
            arguments.push(self.or()?);
        }
        functions::check(&name, arguments.len())?;
        Ok(Expression::Call(Call { name, arguments, scope: Arc::clone(self.scope) }))
    }

    /// What a prefix means.
    pub(super) fn uri(&self, prefix: &str) -> Result<Text, String> {
        if prefix == "xml" {
            return Ok(crate::tree::XML.into());
        }
        let found = self.scope.iter().find(|(known, _)| **known == *prefix);
        found
            .map(|(_, uri)| Text::clone(uri))
            .ok_or_else(|| format!("the prefix '{prefix}' has no namespace"))
    }

    /// A name without a prefix has no namespace, whatever the default is.
    pub(super) fn resolve(&self, name: &str) -> Result<Name, String> {
        match name.split_once(':') {
            Some((prefix, local)) => {
                Ok(Name { prefix: prefix.into(), local: local.into(), uri: self.uri(prefix)? })
            }
            None => Ok(Name::local(name)),
        }
    }
}
