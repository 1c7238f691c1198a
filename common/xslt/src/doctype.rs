//! What the parser does not tell of a document type: ids, entities that are no text; and how much its entities would grow to,
//! which is looked at before they do.

use std::collections::HashMap;

use crate::{
    Mistake,
    value::{is_space, unquoted},
};

/// What entities may grow to in any case, and how many times the document otherwise; as in libxml2.
const GROWTH: (usize, usize) = (1 << 20, 5);
/// Entities in entities.
const MAX_DEPTH: usize = 10;

/// Where the document type of a document ends, and the declarations in it. It is read as the parser reads it: where that
/// finds a mistake, it does not matter what is found here.
pub fn split(text: &str) -> (&str, &str) {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    loop {
        rest = rest.trim_start_matches(is_space);
        rest = match rest {
            _ if rest.starts_with("<?") => after(rest, "?>"),
            _ if rest.starts_with("<!--") => after(rest, "-->"),
            _ if rest.starts_with("<!DOCTYPE") => break,
            _ => return ("", rest),
        };
    }
    // The addresses before the declarations stand in quotes.
    let opening = unquoted(rest, &['[', '>']);
    let Some(opening) = opening.filter(|at| rest.as_bytes()[*at] == b'[') else {
        return ("", opening.map_or("", |at| &rest[at + 1..]));
    };
    let subset = &rest[opening + 1..];
    let mut rest = subset;
    loop {
        rest = rest.trim_start_matches(is_space);
        rest = match rest {
            _ if rest.starts_with("<!--") => after(rest, "-->"),
            _ if rest.starts_with("<?") => after(rest, "?>"),
            _ if rest.starts_with("<!ENTITY") => after_entity(rest),
            _ if rest.starts_with('<') => after(rest, ">"),
            _ => break,
        };
    }
    let subset = &subset[..subset.len() - rest.len()];
    (subset, rest.strip_prefix(']').map_or("", |rest| after(rest, ">")))
}

fn after<'t>(text: &'t str, end: &str) -> &'t str {
    text.split_once(end).map_or("", |(_, rest)| rest)
}

/// What comes behind an entity, whose text may hold anything but its quote.
fn after_entity(text: &str) -> &str {
    unquoted(text, &['>']).map_or("", |end| &text[end + 1..])
}

/// Entities with their texts, those for declarations included: the parser takes them too.
pub fn entities(subset: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    // One that stands in a comment only makes it stricter.
    for entity in subset.split("<!ENTITY").skip(1) {
        let entity = entity.trim_start();
        let entity = entity.strip_prefix('%').map_or(entity, str::trim_start);
        let (name, rest) = entity.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((entity, ""));
        let rest = rest.trim_start();
        let quoted = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
        found.push((name, quoted.and_then(|quote| rest[1..].split(quote).next()).unwrap_or_default()));
    }
    found
}

/// Refuses a document whose entities would grow too much.
pub fn check_entities(text: &str, found: &[(&str, &str)]) -> Result<(), Mistake> {
    if found.is_empty() {
        return Ok(());
    }
    let mut entities: HashMap<&str, Vec<&str>> = HashMap::new();
    for (name, value) in found {
        entities.entry(name).or_default().push(value);
    }
    let mut sizes = HashMap::new();
    let grown = size(text, &entities, &mut sizes, 0);
    let (least, times) = GROWTH;
    if grown.is_none_or(|grown| grown > least.max(text.len().saturating_mul(times))) {
        return Err(Mistake::new(1, 1, "has entities that grow too much"));
    }
    Ok(())
}

/// Bytes that a text grows to; nothing when its entities are nested too deeply, or in each other. Of several entities of one
/// name the largest counts.
fn size<'t>(
    text: &'t str,
    entities: &HashMap<&'t str, Vec<&'t str>>,
    sizes: &mut HashMap<&'t str, usize>,
    depth: usize,
) -> Option<usize> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut total = text.len();
    for reference in text.split('&').skip(1) {
        let Some((name, _)) = reference.split_once(';') else { continue };
        let Some((name, values)) = entities.get_key_value(name) else { continue };
        let grown = match sizes.get(name) {
            Some(known) => *known,
            None => {
                let mut grown = 0;
                for value in values {
                    grown = size(value, entities, sizes, depth + 1)?.max(grown);
                }
                sizes.insert(name, grown);
                grown
            }
        };
        total = total.saturating_add(grown);
    }
    Some(total)
}

/// The declarations of one kind, comments left out.
fn declarations<'t>(subset: &'t str, kind: &str) -> Vec<&'t str> {
    let mut found = Vec::new();
    let mut rest = subset;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let behind = match rest {
            _ if rest.starts_with("<!--") => after(rest, "-->"),
            _ if rest.starts_with("<?") => after(rest, "?>"),
            _ if rest.starts_with("<!ENTITY") => after_entity(rest),
            _ => after(rest, ">"),
        };
        if let Some(declaration) = rest[..rest.len() - behind.len()].strip_prefix(kind) {
            found.push(declaration.strip_suffix('>').unwrap_or(declaration));
        }
        rest = behind;
    }
    found
}

/// Entities that are no text: `<!ENTITY name SYSTEM "address" NDATA format>`.
pub fn unparsed_entities(subset: &str) -> HashMap<String, String> {
    let mut found = HashMap::new();
    for entity in declarations(subset, "<!ENTITY") {
        let Some((head, _)) = entity.split_once("NDATA") else { continue };
        let name = head.split_ascii_whitespace().next().unwrap_or_default();
        let address =
            head.trim_end().strip_suffix(['"', '\'']).and_then(|head| head.rsplit(['"', '\'']).next());
        found.insert(name.to_owned(), address.unwrap_or_default().to_owned());
    }
    found
}

/// What a document type says of the attributes of an element.
#[derive(Debug, Default)]
pub struct Attributes<'t> {
    /// The one that is its id; there can be one.
    pub id: Option<&'t str>,
    /// Those that it has without saying so.
    pub defaults: Vec<(&'t str, &'t str)>,
}

/// Attributes that a document type declares, by the names of their elements.
pub fn attributes(subset: &str) -> HashMap<&str, Attributes<'_>> {
    let mut found: HashMap<&str, Attributes<'_>> = HashMap::new();
    for list in declarations(subset, "<!ATTLIST") {
        let mut words = words(list).into_iter();
        let Some(element) = words.next() else { continue };
        let of = found.entry(element).or_default();
        while let (Some(name), Some(mut kind)) = (words.next(), words.next()) {
            if kind == "NOTATION" {
                kind = words.next().unwrap_or_default();
            }
            let mut default = words.next().unwrap_or_default();
            if default == "#FIXED" {
                default = words.next().unwrap_or_default();
            }
            if kind == "ID" {
                of.id.get_or_insert(name);
            }
            let quoted = default.strip_prefix(['"', '\'']);
            if let Some(value) = quoted.and_then(|text| text.strip_suffix(['"', '\''])) {
                // The first declaration counts.
                if !of.defaults.iter().any(|(known, _)| *known == name) {
                    of.defaults.push((name, value));
                }
            }
        }
    }
    found
}

/// The words of a declaration; what is in quotes or parentheses is one.
fn words(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' | '\'' => rest[1..].find(first).map(|at| at + 2),
            '(' => rest.find(')').map(|at| at + 1),
            _ => rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '(' | '"' | '\'')),
        };
        let (word, behind) = rest.split_at(end.unwrap_or(rest.len()));
        found.push(word);
        rest = behind.trim_start();
    }
    found
}
