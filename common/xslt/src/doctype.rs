//! What the parser does not tell of a document type: ids, entities that are no text; and how much its entities would grow to,
//! which is looked at before they do.

use std::collections::HashMap;

use crate::Mistake;

/// What entities may grow to in any case, and how many times the document otherwise; as in libxml2.
const GROWTH: (usize, usize) = (1 << 20, 5);
/// Entities in entities.
const MAX_DEPTH: usize = 10;

/// Refuses a document whose entities would grow too much.
pub fn check_entities(text: &str) -> Result<(), Mistake> {
    let subset = subset(text);
    let mut entities = HashMap::new();
    for entity in subset.split("<!ENTITY").skip(1) {
        let entity = entity.trim_start();
        let (name, rest) = entity.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((entity, ""));
        let rest = rest.trim_start();
        let quoted = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
        let value = quoted.and_then(|quote| rest[1..].split(quote).next()).unwrap_or_default();
        entities.entry(name).or_insert(value);
    }
    if entities.is_empty() {
        return Ok(());
    }
    let mut sizes = HashMap::new();
    let grown = size(text, &entities, &mut sizes, 0);
    let (least, times) = GROWTH;
    if grown.is_none_or(|grown| grown > least.max(text.len().saturating_mul(times))) {
        return Err(Mistake::new(1, 1, "has entities that grow too much"));
    }
    Ok(())
}

/// Bytes that a text grows to; nothing when its entities are nested too deeply, or in each other.
fn size<'t>(
    text: &'t str,
    entities: &HashMap<&'t str, &'t str>,
    sizes: &mut HashMap<&'t str, usize>,
    depth: usize,
) -> Option<usize> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut total = text.len();
    for reference in text.split('&').skip(1) {
        let Some((name, _)) = reference.split_once(';') else { continue };
        let Some((name, value)) = entities.get_key_value(name) else { continue };
        let grown = match sizes.get(name) {
            Some(known) => *known,
            None => {
                let grown = size(value, entities, sizes, depth + 1)?;
                sizes.insert(name, grown);
                grown
            }
        };
        total = total.saturating_add(grown);
    }
    Some(total)
}

/// The declarations inside a document.
fn subset(text: &str) -> &str {
    let start = text.find("<!DOCTYPE").unwrap_or(text.len());
    let text = &text[start..];
    &text[..text.find("]>").unwrap_or(0)]
}

/// Entities that are no text: `<!ENTITY name SYSTEM "address" NDATA format>`.
pub fn unparsed_entities(text: &str) -> HashMap<String, String> {
    let mut found = HashMap::new();
    for entity in subset(text).split("<!ENTITY").skip(1) {
        let entity = entity.split('>').next().unwrap_or_default();
        let Some((head, _)) = entity.split_once("NDATA") else { continue };
        let name = head.split_ascii_whitespace().next().unwrap_or_default();
        let address =
            head.trim_end().strip_suffix(['"', '\'']).and_then(|head| head.rsplit(['"', '\'']).next());
        found.insert(name.to_owned(), address.unwrap_or_default().to_owned());
    }
    found
}

/// Elements and their attributes that the document type declares to be ids.
pub fn declared_ids(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for list in subset(text).split("<!ATTLIST").skip(1) {
        let list = list.split('>').next().unwrap_or_default();
        let words: Vec<&str> = list.split_ascii_whitespace().collect();
        for pair in words.windows(2).filter(|pair| pair[1] == "ID") {
            found.push((words[0].to_owned(), pair[0].to_owned()));
        }
    }
    found
}
