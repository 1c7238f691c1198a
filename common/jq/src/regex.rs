//! Regular expressions, in time that is linear in pattern and text: no pattern is catastrophic.
//!
//! The searches are regex-bites', which jaq uses too; the loop around them is ours, so that it can be bounded.

use regex_bites::{Captures, Regex, RegexBuilder};

use crate::{
    budget,
    value::{Error, List, Object, Text, ValR, Value},
};

/// Bytes of a compiled pattern.
const MAX_PATTERN: usize = 32 << 10;
/// The same times those of the text: for each of these all of the pattern may be looked at, a matter of a second.
const MAX_SEARCH: usize = 8 << 30;

/// All or the first of the matches of a pattern in a text: for each a list of what its groups hold, and the text between.
pub(crate) fn find(
    text: &Value,
    pattern: &Value,
    flags: &Value,
    with_mismatches: bool,
    with_matches: bool,
) -> ValR {
    let (Value::Text(text), Value::Text(pattern)) = (text, pattern) else {
        let other = if matches!(text, Value::Text(_)) { pattern } else { text };
        return Err(Error::str(format_args!("{other} cannot be matched, as it is not a string")));
    };
    let flags = match flags {
        Value::Null => "",
        Value::Text(flags) => flags.as_str(),
        other => return Err(Error::str(format_args!("{other} is not a string of flags"))),
    };
    let text = text.as_str();
    let size = (MAX_SEARCH / text.len().max(1)).min(MAX_PATTERN);
    let regex = compile(pattern.as_str(), flags, size)?;
    let mut found = List::default();
    let mut offset = Offset { text, bytes: 0, characters: 0 };
    let mut end = 0;
    // What one search costs at most is counted before it.
    budget::steps((text.len() / 16) as u64);
    for captures in regex.captures_iter(text) {
        let Some(whole) = captures.get(0) else { break };
        budget::steps(1 + ((text.len() - whole.start()) / 16) as u64);
        if flags.contains('n') && whole.is_empty() {
            continue;
        }
        if with_mismatches {
            found.push(Value::text(text.get(end..whole.start()).unwrap_or_default()));
            end = whole.end();
        }
        if with_matches {
            found.push(groups(&regex, &captures, &mut offset));
        }
        if !flags.contains('g') {
            break;
        }
    }
    if with_mismatches {
        found.push(Value::text(text.get(end..).unwrap_or_default()));
    }
    Ok(Value::list(found))
}

fn compile(pattern: &str, flags: &str, size: usize) -> ValR<Regex> {
    let mut builder = RegexBuilder::new(pattern);
    for flag in flags.chars() {
        match flag {
            'g' | 'n' => &mut builder,
            'i' => builder.case_insensitive(true),
            's' => builder.dot_matches_new_line(true),
            'l' => builder.swap_greed(true),
            'x' => builder.ignore_whitespace(true),
            'p' => builder.dot_matches_new_line(true).multi_line(true),
            other => return Err(Error::str(format_args!("unsupported regular expression flag: '{other}'"))),
        };
    }
    builder
        .size_limit(size)
        .build()
        .map_err(|error| Error::str(format_args!("invalid regular expression: {error}")))
}

/// The whole match and its groups, as `match` tells them.
fn groups(regex: &Regex, captures: &Captures<'_>, offset: &mut Offset<'_>) -> Value {
    let mut groups = List::default();
    let begin = captures.get(0).map_or(0, |whole| whole.start());
    let begin = offset.of(begin);
    for (group, name) in captures.iter().zip(regex.capture_names()) {
        let mut object = Object::default();
        let mut set = |name: &str, value| object.insert(Text::new(name.to_owned()), value);
        match group {
            Some(group) => {
                let mut inner = begin;
                set("offset", Value::from(inner.of(group.start()).characters));
                set("length", Value::from(group.as_str().chars().count()));
                set("string", Value::text(group.as_str()));
            }
            None => {
                set("offset", Value::from(-1_isize));
                set("length", Value::from(0_usize));
                set("string", Value::Null);
            }
        }
        if let Some(name) = name {
            set("name", Value::text(name));
        } else {
            set("name", Value::Null);
        }
        groups.push(Value::object(object));
    }
    Value::list(groups)
}

/// From bytes to characters, of places that come in order.
#[derive(Clone, Copy)]
struct Offset<'a> {
    text: &'a str,
    bytes: usize,
    characters: usize,
}

impl Offset<'_> {
    fn of(&mut self, bytes: usize) -> Self {
        self.characters += self.text.get(self.bytes..bytes).map_or(0, |between| between.chars().count());
        self.bytes = bytes;
        *self
    }
}
