//! Functions of EXSLT (exslt.org): common, math, sets, strings, and those that a stylesheet defines (`func:function`).

use std::collections::HashSet;

use super::{Machine, Place};
use crate::{
    Failure,
    budget::Charge,
    style::{Stylesheet, What},
    tree::{Kind, Name, Tree},
    value::{Node, Value},
    xpath::Call,
};

const COMMON: &str = "http://exslt.org/common";
const MATH: &str = "http://exslt.org/math";
const SETS: &str = "http://exslt.org/sets";
const STRINGS: &str = "http://exslt.org/strings";
const DATES: &str = "http://exslt.org/dates-and-times";
/// The longest padding.
const MAX_PADDING: f64 = 1_000_000.0;

impl<'s> Machine<'s> {
    pub fn call_extension(&mut self, call: &'s Call, place: Place) -> Result<Value, Failure> {
        match &*call.name.uri {
            COMMON => self.common(call, place),
            MATH => self.math(call, place),
            SETS => self.set(call, place),
            STRINGS => self.string(call, place),
            DATES => self.date(call, place),
            _ => self.own_function(call, place),
        }
    }

    fn own_function(&mut self, call: &'s Call, place: Place) -> Result<Value, Failure> {
        let style: &'s Stylesheet = self.style;
        let body = style.functions.get(&call.name);
        let body = body.ok_or_else(|| Failure::new(format!("{}() is no function", call.name.qualified())))?;
        let mut names = body.iter().filter_map(|instruction| match &instruction.what {
            What::Parameter(binding) => Some(&binding.name),
            _ => None,
        });
        let mut given = Vec::new();
        for argument in &call.arguments {
            let value = self.evaluate(argument, place)?;
            let name = names.next();
            given.push((name.ok_or_else(|| Failure::new("a function has too many arguments"))?, value));
        }
        self.results.push(None);
        let done = self.aside(|this| this.framed(body, place, given));
        let result = self.results.pop().flatten();
        done.map(|_| result.unwrap_or_else(|| Value::text("")))
    }

    fn common(&mut self, call: &'s Call, place: Place) -> Result<Value, Failure> {
        let value = self.evaluate(&call.arguments[0], place)?;
        if &*call.name.local == "object-type" {
            return Ok(Value::text(match value {
                Value::Nodes(_) => "node-set",
                Value::Truth(_) => "boolean",
                Value::Number(_) => "number",
                Value::Text(_) => "string",
                Value::Fragment(_) => "RTF",
            }));
        }
        match value {
            Value::Nodes(_) => Ok(value),
            Value::Fragment(root) => Ok(Value::nodes(vec![root])),
            other => {
                let text = self.text_from(&other)?;
                let mut tree = Tree::default();
                tree.add(0, Kind::Text, None, text);
                let root = self.keep(tree)?;
                Ok(Value::nodes(vec![Node { id: 1, ..root }]))
            }
        }
    }

    fn math(&mut self, call: &'s Call, place: Place) -> Result<Value, Failure> {
        let name = &*call.name.local;
        if matches!(name, "max" | "min" | "highest" | "lowest") {
            let nodes = self.nodes(&call.arguments[0], place)?;
            let mut numbers = Vec::new();
            for node in nodes.iter() {
                numbers.push(crate::value::text_number(&self.text_of(*node)?));
            }
            let of: fn(f64, f64) -> f64 = if matches!(name, "max" | "highest") { f64::max } else { f64::min };
            let all_numbers = !numbers.iter().any(|number| number.is_nan());
            let best = numbers.iter().copied().reduce(of).filter(|_| all_numbers).unwrap_or(f64::NAN);
            if matches!(name, "max" | "min") {
                return Ok(Value::Number(best));
            }
            let found = nodes.iter().zip(numbers).filter(|(_, number)| *number == best);
            return Ok(Value::nodes(found.map(|(node, _)| *node).collect()));
        }
        let number = self.number(&call.arguments[0], place)?;
        Ok(Value::Number(match name {
            "abs" => number.abs(),
            "sqrt" => number.sqrt(),
            "log" => number.ln(),
            "exp" => number.exp(),
            "sin" => number.sin(),
            "cos" => number.cos(),
            "tan" => number.tan(),
            "asin" => number.asin(),
            "acos" => number.acos(),
            "atan" => number.atan(),
            "atan2" => number.atan2(self.number(&call.arguments[1], place)?),
            _ => number.powf(self.number(&call.arguments[1], place)?),
        }))
    }

    fn set(&mut self, call: &'s Call, place: Place) -> Result<Value, Failure> {
        let nodes = self.nodes(&call.arguments[0], place)?;
        if &*call.name.local == "distinct" {
            let texts = self.texts(&nodes)?;
            let mut seen = HashSet::new();
            let found = nodes.iter().zip(texts.iter()).filter(|(_, text)| seen.insert(*text));
            return Ok(Value::nodes(found.map(|(node, _)| *node).collect()));
        }
        let others = self.nodes(&call.arguments[1], place)?;
        let set: HashSet<&Node> = others.iter().collect();
        let edge = others.first().and_then(|first| nodes.iter().position(|node| node == first));
        Ok(match &*call.name.local {
            "has-same-node" => Value::Truth(nodes.iter().any(|node| set.contains(node))),
            "difference" => Value::nodes(nodes.iter().filter(|node| !set.contains(node)).copied().collect()),
            "intersection" => Value::nodes(nodes.iter().filter(|node| set.contains(node)).copied().collect()),
            _ if others.is_empty() => Value::nodes(nodes.to_vec()),
            "leading" => Value::nodes(edge.map_or(Vec::new(), |edge| nodes[..edge].to_vec())),
            _ => Value::nodes(edge.map_or(Vec::new(), |edge| nodes[edge + 1..].to_vec())),
        })
    }

    fn string(&mut self, call: &'s Call, place: Place) -> Result<Value, Failure> {
        let name = &*call.name.local;
        if name == "concat" {
            let nodes = self.nodes(&call.arguments[0], place)?;
            return Ok(Value::text(self.texts(&nodes)?.concat()));
        }
        if name == "padding" {
            let length = self.number(&call.arguments[0], place)?;
            let with = match call.arguments.get(1) {
                Some(with) => self.text(with, place)?,
                None => " ".to_owned(),
            };
            self.clock.work(length.clamp(0.0, MAX_PADDING) as usize / 16)?;
            if length > MAX_PADDING {
                return Err(Failure::limit("str:padding() is asked for too much"));
            }
            self.clock.room(8 * length.max(0.0) as usize)?;
            return Ok(Value::text(with.chars().cycle().take(length.max(0.0) as usize).collect::<String>()));
        }
        let mut texts = Vec::new();
        let mut charge = Charge::default();
        for argument in &call.arguments {
            let text = self.text(argument, place)?;
            charge.grow(text.len());
            texts.push(text);
        }
        // Letters are taken apart, and each becomes up to three.
        let all: usize = texts.iter().map(String::len).sum();
        self.clock.room(4 * all)?;
        self.clock.work(all / 4)?;
        let get = |index: usize| texts.get(index).map(String::as_str);
        let text = get(0).unwrap_or_default();
        match name {
            "replace" => {
                let (from, to) = (get(1).unwrap_or_default(), get(2).unwrap_or_default());
                if from.is_empty() {
                    return Ok(Value::text(text));
                }
                let grown = text.matches(from).count().saturating_mul(to.len());
                self.clock.room(grown.saturating_add(text.len()).saturating_mul(2))?;
                Ok(Value::text(text.replace(from, to)))
            }
            "tokenize" => {
                let at = get(1).unwrap_or("\t\r\n ");
                if at.is_empty() {
                    return self.letters(text);
                }
                let at: HashSet<char> = at.chars().collect();
                self.tokens(text.split(|c| at.contains(&c)).filter(|part| !part.is_empty()))
            }
            "split" => {
                let at = get(1).unwrap_or(" ");
                if at.is_empty() {
                    return self.letters(text);
                }
                self.tokens(text.split(at).filter(|part| !part.is_empty()))
            }
            "align" => Ok(Value::text(aligned(text, get(1).unwrap_or_default(), get(2).unwrap_or("left")))),
            "encode-uri" => Ok(Value::text(encoded(text, get(1) == Some("true")))),
            _ => Ok(Value::text(decoded(text))),
        }
    }

    fn letters(&mut self, text: &str) -> Result<Value, Failure> {
        self.tokens(text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]))
    }

    /// Elements named `token`, one for each part.
    fn tokens<'t>(&mut self, parts: impl Iterator<Item = &'t str>) -> Result<Value, Failure> {
        let mut tree = Tree::default();
        let mut ids = Vec::new();
        for part in parts {
            self.step()?;
            let id = tree.add(0, Kind::Element, Some(Name::local("token")), String::new());
            tree.add_text(id, Kind::Text, part);
            ids.push(id);
        }
        let root = self.keep(tree)?;
        Ok(Value::nodes(ids.into_iter().map(|id| Node { id, ..root }).collect()))
    }
}

fn aligned(text: &str, padding: &str, how: &str) -> String {
    let (text, padding): (Vec<char>, Vec<char>) = (text.chars().collect(), padding.chars().collect());
    if text.len() >= padding.len() {
        return text[..padding.len()].iter().collect();
    }
    let free = padding.len() - text.len();
    let start = match how {
        "right" => free,
        "center" => free / 2,
        _ => 0,
    };
    let end = start + text.len();
    padding[..start].iter().chain(&text).chain(&padding[end..]).collect()
}

fn encoded(text: &str, reserved: bool) -> String {
    let safe = if reserved { "-_.!~*'()" } else { "-_.!~*'();/?:@&=+$,[]" };
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || safe.as_bytes().contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        let hex = others.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        match hex.filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &others[2..];
            }
            None => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    // What is no text, or cannot stand in XML, gives nothing, as in libexslt.
    String::from_utf8(bytes).ok().filter(|text| text.chars().all(crate::value::is_legal)).unwrap_or_default()
}
