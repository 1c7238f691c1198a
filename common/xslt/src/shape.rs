//! What a document may look like, which is seen to before it is parsed: to look for an attribute or a namespace takes as long
//! as there are many, and what is nested deeply is followed down again and again.

use crate::{Mistake, doctype, read::MAX_DEPTH};

/// Attributes of one element.
const MAX_ATTRIBUTES: usize = 1000;
/// Namespaces that are known in one place.
const MAX_NAMESPACES: usize = 1000;
/// Where namespaces are declared all are looked at that are known there, by each other.
const MAX_LOOKS: usize = 50_000_000;

/// What is looked at of a start tag.
#[derive(Default)]
struct Tag {
    /// Bytes of it.
    length: usize,
    values: usize,
    declarations: usize,
}

/// Refuses what would take too long to read.
pub fn check(text: &str) -> Result<(), Mistake> {
    let (subset, content) = doctype::split(text);
    let entities = doctype::entities(subset);
    doctype::check_entities(text, &entities)?;
    for (_, value) in entities {
        let quotes = value.bytes().filter(|byte| matches!(byte, b'"' | b'\'')).count();
        if value.contains("xmlns") || quotes > MAX_ATTRIBUTES {
            return Err(Mistake::new(1, 1, "has an entity with namespaces or too many attributes"));
        }
    }
    let begin = text.len() - content.len();
    check_content(content).map_err(|(at, message)| {
        let line = text[..begin + at].bytes().filter(|byte| *byte == b'\n').count() as u32 + 1;
        Mistake::new(line, 1, message)
    })
}

fn check_content(text: &str) -> Result<(), (usize, String)> {
    // Namespaces known in the elements that are open.
    let mut open: Vec<usize> = Vec::new();
    let (mut offset, mut looks) = (0, 0_usize);
    while let Some(at) = text.get(offset..).and_then(|rest| rest.find('<')) {
        offset += at;
        let rest = &text[offset..];
        let skip = |end: &str| rest.find(end).map_or(rest.len(), |length| length + end.len());
        let refused = |message: String| Err((offset, message));
        let length = if rest.starts_with("<!--") {
            skip("-->")
        } else if rest.starts_with("<![CDATA[") {
            skip("]]>")
        } else if rest.starts_with("<?") {
            skip("?>")
        } else if rest.starts_with("</") {
            open.pop();
            2
        } else {
            let tag = tag(rest);
            let known = open.last().copied().unwrap_or_default() + tag.declarations;
            if tag.values > MAX_ATTRIBUTES {
                return refused(format!("has an element with more than {MAX_ATTRIBUTES} attributes"));
            }
            if tag.declarations > 0 {
                looks = looks.saturating_add(known * known);
            }
            if known > MAX_NAMESPACES || looks > MAX_LOOKS {
                return refused("declares more namespaces than can be looked for".to_owned());
            }
            if !rest[..tag.length].ends_with("/>") {
                open.push(known);
            }
            tag.length
        };
        if open.len() > MAX_DEPTH {
            return refused(format!("is nested more than {MAX_DEPTH} deep"));
        }
        offset += length;
    }
    Ok(())
}

/// The length of a start tag.
pub fn tag_length(text: &str) -> usize {
    tag(text).length
}

/// A start tag; a `>` in a value does not end it.
fn tag(text: &str) -> Tag {
    let mut tag = Tag { length: text.len(), ..Tag::default() };
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => {
                tag.length = at + 1;
                break;
            }
            (None, b'"' | b'\'') => {
                quote = Some(byte);
                tag.values += 1;
            }
            (None, b'x') if text.as_bytes()[at..].starts_with(b"xmlns") => tag.declarations += 1,
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    tag
}
