//! Smaller parts of a stylesheet: attribute value templates (section 7.6.2), formats of numbers (12.3), the output (16).

use std::collections::HashSet;

use crate::{
    machine::is_plain_name,
    tree::{Name, Text},
    value::unquoted,
    xpath::{Expression, Scope, parse},
};

/// A text with expressions in it.
pub type Avt = Vec<Part>;

#[derive(Debug)]
pub enum Part {
    Text(String),
    Value(Expression),
}

/// Reads a text with expressions in braces.
pub fn avt(text: &str, scope: &Scope, variables: &mut Vec<Name>) -> Result<Avt, String> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        plain.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(doubled) = rest.strip_prefix(brace) {
            plain.push_str(brace);
            rest = doubled;
            continue;
        }
        if brace == "}" {
            return Err("a '}' closes nothing".to_owned());
        }
        // A brace in a literal of the expression does not end it.
        let end = unquoted(rest, &['}']).ok_or("a '{' is not closed")?;
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut plain)));
        }
        parts.push(Part::Value(parse(&rest[..end], scope, variables)?));
        rest = &rest[end + 1..];
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(parts)
}

/// How `format-number()` writes.
#[derive(Clone, Debug)]
pub struct DecimalFormat {
    pub decimal: char,
    pub grouping: char,
    pub percent: char,
    pub per_mille: char,
    pub zero: char,
    pub digit: char,
    pub separator: char,
    pub minus: char,
    pub infinity: String,
    pub nan: String,
}

impl Default for DecimalFormat {
    fn default() -> Self {
        Self {
            decimal: '.',
            grouping: ',',
            percent: '%',
            per_mille: '‰',
            zero: '0',
            digit: '#',
            separator: ';',
            minus: '-',
            infinity: "Infinity".to_owned(),
            nan: "NaN".to_owned(),
        }
    }
}

/// How the result is written (`xsl:output`).
#[derive(Clone, Debug, Default)]
pub struct Output {
    pub method: Option<String>,
    pub encoding: Option<String>,
    pub omit_declaration: Option<bool>,
    pub standalone: Option<bool>,
    pub public: Option<String>,
    pub system: Option<String>,
    pub indent: Option<bool>,
    pub media_type: Option<String>,
    pub cdata: HashSet<Name>,
    pub version: Option<String>,
}

/// A name in an attribute of the stylesheet; without a prefix it has no namespace.
pub fn qualified(text: &str, scope: &Scope) -> Result<Name, String> {
    let text = text.trim();
    let (prefix, local) = text.split_once(':').unwrap_or(("", text));
    if !is_plain_name(local) || !(prefix.is_empty() || is_plain_name(prefix)) {
        return Err(format!("'{text}' is no name"));
    }
    let uri: Text = match prefix {
        "" => "".into(),
        "xml" => crate::tree::XML.into(),
        prefix => {
            let found = scope.iter().find(|(known, _)| **known == *prefix);
            found
                .map(|(_, uri)| Text::clone(uri))
                .ok_or_else(|| format!("the prefix '{prefix}' has no namespace"))?
        }
    };
    Ok(Name { prefix: prefix.into(), local: local.into(), uri })
}
