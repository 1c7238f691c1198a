//! Texts and names that are made of expressions (XSLT 1.0, sections 7.1.2, 7.1.3 and 7.6.2).

use super::{Machine, Place};
use crate::{
    Failure,
    style::{Avt, Body, Instruction, Part, What},
    tree::{Name, Text},
    xpath::Scope,
};

impl<'s> Machine<'s> {
    /// What a body writes.
    pub fn made_text(&mut self, body: &'s Body, place: Place) -> Result<String, Failure> {
        if let [Instruction { what: What::Text { text, .. }, .. }] = body.as_slice() {
            return Ok(text.clone());
        }
        self.aside(|this| this.body(body, place)).map(|tree| tree.text(0))
    }

    /// A text with its expressions filled in.
    pub fn filled(&mut self, avt: &'s Avt, place: Place) -> Result<String, Failure> {
        let mut text = String::new();
        for part in avt {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Value(expression) => text.push_str(&self.text(expression, place)?),
            }
        }
        Ok(text)
    }

    /// The name of an element or attribute that is made.
    pub fn made_name(
        &mut self,
        name: &'s Avt,
        namespace: Option<&'s Avt>,
        scope: &'s Scope,
        is_element: bool,
        place: Place,
    ) -> Result<Name, Failure> {
        let text = self.filled(name, place)?;
        let namespace = namespace.map(|namespace| self.filled(namespace, place)).transpose()?;
        let wrong = || Failure::new(format!("'{text}' is no name"));
        let (prefix, local) = text.trim().split_once(':').unwrap_or(("", text.trim()));
        let good = |part: &str| {
            part.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '\u{b7}'))
        };
        if !good(local) || !(prefix.is_empty() || good(prefix)) || (!is_element && text == "xmlns") {
            return Err(wrong());
        }
        let uri: Text = match namespace {
            Some(uri) => uri.into(),
            None if prefix == "xml" => crate::tree::XML.into(),
            None if prefix.is_empty() && !is_element => "".into(),
            None => {
                let found =
                    scope.iter().find(|(known, _)| **known == *prefix).map(|(_, uri)| Text::clone(uri));
                match found {
                    Some(uri) => uri,
                    None if prefix.is_empty() => "".into(),
                    None => return Err(Failure::new(format!("the prefix '{prefix}' has no namespace"))),
                }
            }
        };
        let prefix = if uri.is_empty() || prefix == "xmlns" { "" } else { prefix };
        Ok(Name { prefix: prefix.into(), local: local.into(), uri })
    }
}
