//! Numbers: `xsl:number` (XSLT 1.0, section 7.7) and `format-number()` (12.3).

use super::{Machine, Place, decimal::formatted, functions::scoped};
use crate::{
    Failure,
    style::{DecimalFormat, Level, Numbering, Pattern},
    tree::Kind,
    value::{Node, Value},
    xpath::{self, Call},
};

/// The most digits that a format can ask for.
const MAX_WIDTH: usize = 500;

impl<'s> Machine<'s> {
    pub fn numbered(&mut self, numbering: &'s Numbering, place: Place) -> Result<String, Failure> {
        let numbers = match &numbering.value {
            Some(value) => {
                let number = xpath::round(self.number(value, place)?);
                if number.is_nan() || number >= 1e19 {
                    return Ok(crate::value::number_text(number));
                }
                // What is less than nothing is nothing, as in libxslt.
                vec![number.max(0.0) as u64]
            }
            None => self.places(numbering, place.node)?,
        };
        let format = match &numbering.format {
            Some(format) => self.filled(format, place)?,
            None => "1".to_owned(),
        };
        let mut word = |avt: &'s Option<crate::style::Avt>| match avt {
            Some(avt) => self.filled(avt, place),
            None => Ok(String::new()),
        };
        // One letter of it counts, as in libxslt.
        let separator: String = word(&numbering.separator)?.chars().take(1).collect();
        let group = word(&numbering.group)?.trim().parse().unwrap_or(0);
        let between = format.len().saturating_mul(numbers.len());
        self.clock.room(between.saturating_mul(2))?;
        self.clock.work(between / 16)?;
        Ok(sequence(&numbers, &format, &separator, group))
    }

    /// The places of a node among those that are counted.
    fn places(&mut self, numbering: &'s Numbering, node: Node) -> Result<Vec<u64>, Failure> {
        if numbering.level == Level::Any {
            return self.place_of_all(numbering, node);
        }
        let mut found = Vec::new();
        let tree = std::sync::Arc::clone(&self.trees[node.tree as usize]);
        for id in std::iter::once(node.id).chain(tree.ancestors(node.id)) {
            let one = Node { tree: node.tree, id };
            if one != node && self.any_matches(&numbering.from, one)? {
                break;
            }
            if !self.counts(numbering, one, node)? {
                continue;
            }
            let mut number = 1;
            let mut sibling = tree.previous(id);
            while let Some(id) = sibling {
                self.step()?;
                number += u64::from(self.counts(numbering, Node { tree: node.tree, id }, node)?);
                sibling = tree.previous(id);
            }
            found.push(number);
            if numbering.level == Level::Single {
                break;
            }
        }
        found.reverse();
        Ok(found)
    }

    fn place_of_all(&mut self, numbering: &'s Numbering, node: Node) -> Result<Vec<u64>, Failure> {
        let tree = std::sync::Arc::clone(&self.trees[node.tree as usize]);
        let mut number = 0;
        for id in std::iter::once(0).chain(tree.descendants(0)).take_while(|id| *id <= node.id) {
            self.step()?;
            let one = Node { tree: node.tree, id };
            if self.any_matches(&numbering.from, one)? {
                number = 0;
            }
            number += u64::from(self.counts(numbering, one, node)?);
        }
        // An attribute is in nobody's order but its own.
        if tree.get(node.id).kind == Kind::Attribute {
            number += u64::from(self.counts(numbering, node, node)?);
        }
        Ok(if number > 0 { vec![number] } else { Vec::new() })
    }

    fn any_matches(&mut self, patterns: &'s [Pattern], node: Node) -> Result<bool, Failure> {
        for pattern in patterns {
            if self.matches(pattern, node)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Without a pattern, those count that are like the node itself.
    fn counts(&mut self, numbering: &'s Numbering, one: Node, like: Node) -> Result<bool, Failure> {
        if !numbering.count.is_empty() {
            return self.any_matches(&numbering.count, one);
        }
        let (one, like) = (self.tree(one).get(one.id), self.tree(like).get(like.id));
        Ok(one.kind == like.kind && one.name == like.name)
    }

    /// `format-number()`.
    pub fn format(&mut self, call: &'s Call, place: Place) -> Result<Value, Failure> {
        let [number, pattern, rest @ ..] = call.arguments.as_slice() else {
            return Err(Failure::new("format-number() needs a number and a pattern"));
        };
        let (number, pattern) = (self.number(number, place)?, self.text(pattern, place)?);
        let name = match rest {
            [name] => {
                let text = self.text(name, place)?;
                Some(scoped(call, &text).ok_or_else(|| Failure::new(format!("'{text}' is no name")))?)
            }
            _ => None,
        };
        let format = match self.style.formats.get(&name) {
            Some(format) => format.clone(),
            None if name.is_none() => DecimalFormat::default(),
            None => return Err(Failure::new("there is no such xsl:decimal-format")),
        };
        Ok(Value::text(formatted(number, &pattern, &format)))
    }
}

/// Numbers one after the other, as a format says.
fn sequence(numbers: &[u64], format: &str, separator: &str, group: usize) -> String {
    let mut tokens: Vec<(String, String)> = Vec::new();
    let mut between = String::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        let length = |test: fn(char) -> bool| rest.find(|c| !test(c)).unwrap_or(rest.len());
        if first.is_alphanumeric() {
            let end = length(char::is_alphanumeric);
            tokens.push((std::mem::take(&mut between), rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            let end = rest.find(char::is_alphanumeric).unwrap_or(rest.len());
            between = rest[..end].to_owned();
            rest = &rest[end..];
        }
    }
    if numbers.is_empty() {
        return String::new();
    }
    let (start, suffix) = match tokens.first() {
        Some((start, _)) => (start.clone(), between),
        None => (between, String::new()),
    };
    let mut text = start;
    for (index, number) in numbers.iter().enumerate() {
        let token = tokens.get(index).or(tokens.last());
        if index > 0 {
            let own = tokens.get(index).map(|(between, _)| between.as_str());
            let last = tokens.last().filter(|_| tokens.len() > 1).map(|(between, _)| between.as_str());
            text.push_str(own.or(last).unwrap_or("."));
        }
        text.push_str(&one(*number, token.map_or("1", |(_, token)| token), separator, group));
    }
    text + &suffix
}

fn one(number: u64, token: &str, separator: &str, group: usize) -> String {
    match token {
        "a" | "A" if number > 0 => letters(number, token == "A"),
        "i" | "I" if (1..=5000).contains(&number) => roman(number, token == "I"),
        _ => {
            let (zero, width) = digits(token);
            let text = grouped(&format!("{number:0width$}"), separator, group);
            let own = |c: char| {
                c.to_digit(10).and_then(|digit| char::from_u32(u32::from(zero) + digit)).unwrap_or(c)
            };
            if zero == '0' { text } else { text.chars().map(own).collect() }
        }
    }
}

/// The zero of a token like `001`, in the digits of any script that libxslt knows, and how many digits it has.
fn digits(token: &str) -> (char, usize) {
    const ZEROS: &str = "0٠۰०০੦૦୦௦౦೦൦๐໐༠０";
    let one = token.chars().last().and_then(|one| char::from_u32(u32::from(one).checked_sub(1)?));
    match one.filter(|zero| ZEROS.contains(*zero) && token.chars().rev().skip(1).all(|c| c == *zero)) {
        Some(zero) => (zero, token.chars().count().min(MAX_WIDTH)),
        None => ('0', 1),
    }
}

pub fn grouped(digits: &str, separator: &str, group: usize) -> String {
    if group == 0 || separator.is_empty() {
        return digits.to_owned();
    }
    let count = digits.chars().count();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (count - index).is_multiple_of(group) {
            text.push_str(separator);
        }
        text.push(digit);
    }
    text
}

fn letters(mut number: u64, upper: bool) -> String {
    let first = if upper { b'A' } else { b'a' };
    let mut text = Vec::new();
    while number > 0 {
        number -= 1;
        text.push(char::from(first + (number % 26) as u8));
        number /= 26;
    }
    text.into_iter().rev().collect()
}

fn roman(mut number: u64, upper: bool) -> String {
    const PARTS: [(u64, &str); 13] = [
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ];
    let mut text = String::new();
    for (value, letters) in PARTS {
        while number >= value {
            text.push_str(letters);
            number -= value;
        }
    }
    if upper { text.to_uppercase() } else { text }
}
