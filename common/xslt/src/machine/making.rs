//! Texts and names that are made of expressions (XSLT 1.0, sections 7.1.2, 7.1.3 and 7.6.2).

use super::{Machine, Place};
use crate::{
    Failure,
    budget::Charge,
    style::{Avt, Body, Instruction, Part, What},
    tree::{Name, Text},
    value::is_space,
    xpath::Scope,
};

/// The namespace of declarations of namespaces, in which no name can be.
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

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
        let mut charge = Charge::default();
        for part in avt {
            let before = text.len();
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Value(expression) => text.push_str(&self.text(expression, place)?),
            }
            charge.grow(text.len() - before);
            self.clock.room(0)?;
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
        let (prefix, local) =
            text.trim_matches(is_space).split_once(':').unwrap_or(("", text.trim_matches(is_space)));
        if !is_plain_name(local)
            || !(prefix.is_empty() || is_plain_name(prefix))
            || (!is_element && local == "xmlns")
        {
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
        if *uri == *XMLNS {
            return Err(Failure::new("nothing can be in the namespace of xmlns"));
        }
        let prefix = if uri.is_empty() || prefix == "xmlns" { "" } else { prefix };
        Ok(Name { prefix: prefix.into(), local: local.into(), uri })
    }
}

/// Whether a text is a name without a colon (Namespaces in XML 1.0, and XML 1.0, fifth edition, section 2.3).
pub fn is_plain_name(text: &str) -> bool {
    let begins = |c: char| {
        matches!(c, 'A'..='Z' | 'a'..='z' | '_' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
            | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}' | '\u{200d}' | '\u{2070}'..='\u{218f}'
            | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
            | '\u{10000}'..='\u{effff}')
    };
    let continues = |c: char| {
        begins(c)
            || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}' | '\u{2040}')
    };
    text.starts_with(begins) && text.chars().all(continues)
}
