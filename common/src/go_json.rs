//! JSON as Go's `encoding/json` writes it: what the original images sent, byte for byte.
//!
//! `<`, `>`, `&` and the two line separators of Unicode are escaped, white space is left out, and where an object was
//! read into a map its keys are sorted. Numbers stay as they stand (the original sent them through a float of 64 bits).

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Arrays and objects within one another that are sorted; deeper ones are not taken.
const MAX_DEPTH: usize = 64;

/// A name of a member, borrowed where it holds no escapes.
#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Writes a string.
pub fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escaped(out, text.as_bytes(), |out, byte| match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        _ => unicode(out, byte),
    });
    out.push(b'"');
}

/// Writes a string, or `null`.
pub fn optional(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => string(out, text),
        None => out.extend_from_slice(b"null"),
    }
}

/// Writes bytes as base64, or `null`.
pub fn bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => string(out, &STANDARD.encode(bytes)),
        None => out.extend_from_slice(b"null"),
    }
}

/// Writes a list, or `null`.
pub fn list<T>(out: &mut Vec<u8>, items: Option<&[T]>, mut write: impl FnMut(&mut Vec<u8>, &T)) {
    let Some(items) = items else { return out.extend_from_slice(b"null") };
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

/// Writes an object in the order given.
pub fn object<'a, T>(
    out: &mut Vec<u8>,
    members: impl IntoIterator<Item = (&'a str, T)>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'{');
    for (index, (name, value)) in members.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        string(out, name);
        out.push(b':');
        write(out, value);
    }
    out.push(b'}');
}

/// Writes JSON that stands already as text: without white space, and escaped.
pub fn compact(out: &mut Vec<u8>, json: &RawValue) {
    let mut is_string = false;
    let mut is_escape = false;
    let mut begin = 0;
    let text = json.get().as_bytes();
    for (index, byte) in text.iter().enumerate() {
        if !is_string && byte.is_ascii_whitespace() {
            escaped(out, text.get(begin..index).unwrap_or_default(), unescaped);
            begin = index + 1;
        }
        match byte {
            _ if is_escape => is_escape = false,
            b'\\' => is_escape = is_string,
            b'"' => is_string = !is_string,
            _ => {}
        }
    }
    escaped(out, text.get(begin..).unwrap_or_default(), unescaped);
}

/// Writes JSON as Go does that has read it into a map: compact, with sorted keys. `None` when it is nested too deep.
pub fn sorted(out: &mut Vec<u8>, json: &RawValue) -> Option<()> {
    sorted_to(out, json, MAX_DEPTH)
}

fn sorted_to(out: &mut Vec<u8>, json: &RawValue, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let mut all = Some(());
    match json.get().as_bytes().first() {
        Some(b'{') => {
            let members: BTreeMap<Key<'_>, &RawValue> = serde_json::from_str(json.get()).ok()?;
            object(out, members.iter().map(|(name, value)| (&*name.0, *value)), |out, value| {
                all = all.and_then(|()| sorted_to(out, value, depth));
            });
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(json.get()).ok()?;
            list(out, Some(&items), |out, item| all = all.and_then(|()| sorted_to(out, item, depth)));
        }
        Some(b'"') => match serde_json::from_str::<Key<'_>>(json.get()) {
            Ok(text) => string(out, &text.0),
            // Half of a surrogate pair, which no text can hold.
            Err(_) => compact(out, json),
        },
        _ => out.extend_from_slice(json.get().as_bytes()),
    }
    all
}

/// Copies what needs no escape in runs; `special` writes control characters, quotes and backslashes.
fn escaped(out: &mut Vec<u8>, text: &[u8], special: impl Fn(&mut Vec<u8>, u8)) {
    let mut begin = 0;
    for (index, byte) in text.iter().enumerate() {
        let separator = *byte == 0xE2 && matches!(text.get(index + 1..index + 3), Some([0x80, 0xA8 | 0xA9]));
        if !separator && *byte >= 0x20 && !matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&') {
            continue;
        }
        out.extend_from_slice(text.get(begin..index).unwrap_or_default());
        begin = index + if separator { 3 } else { 1 };
        match byte {
            b'<' | b'>' | b'&' => unicode(out, *byte),
            _ if separator => {
                let last = if text.get(index + 2) == Some(&0xA8) { b'8' } else { b'9' };
                out.extend_from_slice(b"\\u202");
                out.push(last);
            }
            _ => special(out, *byte),
        }
    }
    out.extend_from_slice(text.get(begin..).unwrap_or_default());
}

fn unescaped(out: &mut Vec<u8>, byte: u8) {
    out.push(byte);
}

fn unicode(out: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |index: u8| DIGITS.get(usize::from(index)).copied().unwrap_or(b'0');
    out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).expect("JSON")
    }

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn strings_are_those_of_go() {
        for (given, written) in [
            ("", r#""""#),
            ("plain é 😀", r#""plain é 😀""#),
            ("\"\\\n\r\t\u{8}\u{1f}\u{7f}", "\"\\\"\\\\\\n\\r\\t\\u0008\\u001f\u{7f}\""),
            ("<a>&", r#""\u003ca\u003e\u0026""#),
            ("\u{2027}\u{2028}\u{2029}\u{202a}", "\"\u{2027}\\u2028\\u2029\u{202a}\""),
        ] {
            assert_eq!(text(|out| string(out, given)), written);
        }
    }

    #[test]
    fn compact_keeps_what_is_no_white_space() {
        for (given, written) in [
            (
                " { \"b\" : [ 1.50 , -0 , 1e9 ] , \"a\" : \"x y\\\" \" } ",
                "{\"b\":[1.50,-0,1e9],\"a\":\"x y\\\" \"}",
            ),
            ("\"<\u{2028}\\u0041\"", r#""\u003c\u2028\u0041""#),
            ("123", "123"),
        ] {
            let json: &RawValue = serde_json::from_str(given).expect("JSON");
            assert_eq!(text(|out| compact(out, json)), written);
        }
    }

    #[test]
    fn sorted_is_what_a_map_of_go_writes() {
        let json = raw(r#"{"b":[{"z":1,"a":"\u003c\/"}],"B":null,"a":12345678901234567890,"a":"\ud800"}"#);
        let written = r#"{"B":null,"a":"\ud800","b":[{"a":"\u003c/","z":1}]}"#;
        assert_eq!(text(|out| sorted(out, &json).expect("not deep")), written);
        let deep = raw(&format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)));
        assert_eq!(sorted(&mut Vec::new(), &deep), None);
    }
}
