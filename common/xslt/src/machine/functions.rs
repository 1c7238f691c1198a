//! The functions of XPath 1.0 (section 4) and XSLT 1.0 (section 12).

use std::collections::HashMap;

use super::{Machine, Place};
use crate::{
    Failure,
    budget::Charge,
    style::Stylesheet,
    tree::{Kind, Name, XML},
    value::{Node, Value, is_space},
    xpath::{self, Call, Expression},
};

impl<'s> Machine<'s> {
    pub fn call(&mut self, call: &'s Call, place: Place) -> Result<Value, Failure> {
        let name = &call.name;
        if !name.uri.is_empty() {
            return self.call_extension(call, place);
        }
        let arguments = call.arguments.as_slice();
        Ok(match (&*name.local, arguments) {
            ("last", _) => Value::Number(place.size as f64),
            ("position", _) => Value::Number(place.position as f64),
            ("count", [nodes]) => Value::Number(self.nodes(nodes, place)?.len() as f64),
            ("current", _) => Value::nodes(vec![place.current]),
            ("true", _) => Value::Truth(true),
            ("false", _) => Value::Truth(false),
            ("boolean", [value]) => Value::Truth(self.truth(value, place)?),
            ("not", [value]) => Value::Truth(!self.truth(value, place)?),
            ("floor", [value]) => Value::Number(self.number(value, place)?.floor()),
            ("ceiling", [value]) => Value::Number(self.number(value, place)?.ceil()),
            ("round", [value]) => Value::Number(xpath::round(self.number(value, place)?)),
            ("number", _) => Value::Number(match arguments {
                [value] => self.number(value, place)?,
                _ => crate::value::text_number(&self.text_of(place.node)?),
            }),
            ("sum", [nodes]) => {
                let mut sum = 0.0;
                for node in self.nodes(nodes, place)?.iter() {
                    sum += crate::value::text_number(&self.text_of(*node)?);
                }
                Value::Number(sum)
            }
            ("local-name" | "namespace-uri" | "name" | "generate-id", _) => {
                let node = match arguments {
                    [nodes] => self.nodes(nodes, place)?.first().copied(),
                    _ => Some(place.node),
                };
                Value::text(node.map(|node| self.named(&name.local, node)).unwrap_or_default())
            }
            ("id", [value]) => self.by_id(value, place)?,
            ("lang", [value]) => {
                let wanted = self.text(value, place)?.to_lowercase();
                Value::Truth(self.is_language(place.node, &wanted))
            }
            ("key", [key, value]) => self.by_key(call, key, value, place)?,
            ("document", _) => self.document(arguments, place)?,
            ("format-number", _) => self.format(call, place)?,
            ("unparsed-entity-uri", [name]) => {
                let name = self.text(name, place)?;
                Value::text(self.tree(place.node).unparsed.get(&name).map_or("", String::as_str))
            }
            ("system-property", [property]) => {
                let property = self.text(property, place)?;
                Value::text(match scoped(call, &property) {
                    Some(name) if &*name.uri == Stylesheet::XSLT => match &*name.local {
                        "version" => "1.0",
                        "vendor" => "Trestle",
                        _ => "",
                    },
                    _ => "",
                })
            }
            ("element-available" | "function-available", [value]) => {
                let value = self.text(value, place)?;
                let mut found = scoped(call, &value);
                if let Some(name) = found
                    .as_mut()
                    .filter(|found| &*name.local == "element-available" && found.prefix.is_empty())
                {
                    // A name of an element: the default namespace counts.
                    let default = call.scope.iter().find(|(prefix, _)| prefix.is_empty());
                    name.uri = default.map(|(_, uri)| uri.clone()).unwrap_or_default();
                }
                Value::Truth(found.is_some_and(|found| match &*name.local {
                    "element-available" => crate::style::is_instruction(&found),
                    _ => xpath::known(&found.uri, &found.local) || self.style.functions.contains_key(&found),
                }))
            }
            (_, arguments) => self.text_function(&name.local, arguments, place)?,
        })
    }

    fn text_function(
        &mut self,
        name: &str,
        arguments: &'s [Expression],
        place: Place,
    ) -> Result<Value, Failure> {
        let mut texts = Vec::new();
        let mut charge = Charge::default();
        for argument in arguments {
            let text = self.text(argument, place)?;
            charge.grow(text.len());
            texts.push(text);
        }
        if texts.is_empty() {
            texts.push(self.text_of(place.node)?);
        }
        // The result is no longer than they are, and is made once and copied once.
        let all: usize = texts.iter().map(String::len).sum();
        self.clock.room(2 * all)?;
        self.clock.work(all / 16)?;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let value = match (name, texts.as_slice()) {
            ("string", [text]) => Value::text(text),
            ("concat", texts) => Value::text(texts.concat()),
            ("starts-with", [text, start]) => Value::Truth(text.starts_with(start)),
            ("contains", [text, part]) => Value::Truth(text.contains(part)),
            ("substring-before", [text, part]) => {
                Value::text(text.split_once(part).map_or("", |(before, _)| before))
            }
            ("substring-after", [text, part]) => {
                Value::text(text.split_once(part).map_or("", |(_, after)| after))
            }
            ("string-length", [text]) => Value::Number(text.chars().count() as f64),
            ("normalize-space", [text]) => {
                let words: Vec<&str> = text.split(is_space).filter(|word| !word.is_empty()).collect();
                Value::text(words.join(" "))
            }
            ("translate", [text, from, to]) => Value::text(translated(text, from, to)),
            ("substring", [text, ..]) => {
                let text = (*text).to_owned();
                let start = self.number(&arguments[1], place)?;
                let length = match arguments.get(2) {
                    Some(length) => self.number(length, place)?,
                    None => f64::INFINITY,
                };
                Value::text(substring(&text, start, length))
            }
            _ => return Err(Failure::new(format!("{name}() is no function"))),
        };
        Ok(value)
    }

    fn named(&self, what: &str, node: Node) -> String {
        if what == "generate-id" {
            return format!("id{}n{}", node.tree, node.id);
        }
        let name = self.tree(node).get(node.id).name.as_ref();
        name.map(|name| match what {
            "local-name" => name.local.to_string(),
            "namespace-uri" => name.uri.to_string(),
            _ => name.qualified(),
        })
        .unwrap_or_default()
    }

    fn by_id(&mut self, value: &'s Expression, place: Place) -> Result<Value, Failure> {
        let value = self.evaluate(value, place)?;
        let texts = self.texts_of(&value)?;
        let tree = place.node.tree;
        let ids = &self.trees[tree as usize].ids;
        let words = texts.iter().flat_map(|text| text.split(is_space));
        Ok(Value::nodes(words.filter_map(|word| ids.get(word)).map(|id| Node { tree, id: *id }).collect()))
    }

    fn is_language(&self, node: Node, wanted: &str) -> bool {
        let tree = self.tree(node);
        let own = std::iter::once(node.id).chain(tree.ancestors(node.id));
        let mut own = own.filter(|id| tree.get(*id).kind == Kind::Element);
        let found = own.find_map(|id| tree.attribute(id, XML, "lang")).unwrap_or_default().to_lowercase();
        found == wanted || (found.starts_with(wanted) && found[wanted.len()..].starts_with('-'))
    }

    /// `document('')` is the stylesheet; nothing else is read.
    fn document(&mut self, arguments: &'s [Expression], place: Place) -> Result<Value, Failure> {
        let value = match arguments.first() {
            Some(argument) => self.text(argument, place)?,
            None => String::new(),
        };
        if !value.is_empty() {
            return Err(Failure::new("document() cannot read anything from outside"));
        }
        Ok(Value::nodes(vec![Node { tree: 1, id: 0 }]))
    }
}

/// A name in a text, by the prefixes that are known where the call stands.
pub fn scoped(call: &Call, text: &str) -> Option<Name> {
    let text = text.trim_matches(is_space);
    let (prefix, local) = text.split_once(':').unwrap_or(("", text));
    if prefix.is_empty() {
        return Some(Name::local(local));
    }
    let (_, uri) = call.scope.iter().find(|(known, _)| **known == *prefix)?;
    Some(Name { prefix: prefix.into(), local: local.into(), uri: uri.clone() })
}

fn translated(text: &str, from: &str, to: &str) -> String {
    let to: Vec<char> = to.chars().collect();
    let mut places = HashMap::new();
    for (index, c) in from.chars().enumerate() {
        places.entry(c).or_insert(index);
    }
    let change = |c: char| match places.get(&c) {
        None => Some(c),
        Some(index) => to.get(*index).copied(),
    };
    text.chars().filter_map(change).collect()
}

fn substring(text: &str, start: f64, length: f64) -> String {
    let begin = xpath::round(start);
    let end = begin + xpath::round(length);
    let within = |index: usize| {
        let position = index as f64 + 1.0;
        position >= begin && position < end
    };
    text.chars().enumerate().filter(|(index, _)| within(*index)).map(|(_, c)| c).collect()
}
