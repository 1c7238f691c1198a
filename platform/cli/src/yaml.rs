//! JSON values as YAML (<https://yaml.org/spec/1.2.2/>), written so that readers of YAML 1.1, which Kubernetes and Compose
//! have, take them alike: they know more words for booleans and more forms of numbers.

use std::borrow::Cow;

use saphyr::{Scalar, ScalarStyle, Yaml, YamlEmitter};
use serde_json::Value as Json;

/// Documents one after the other; keys are sorted, texts of several lines stand as they are.
pub fn documents(values: &[Json]) -> String {
    let texts: Vec<String> = values.iter().map(document).collect();
    texts.join("---\n")
}

/// One document, without a line before it.
fn document(value: &Json) -> String {
    let mut text = String::new();
    let mut emitter = YamlEmitter::new(&mut text);
    emitter.multiline(true);
    // Writing to a text cannot fail.
    let _ = emitter.dump(&node(value));
    let text = text.strip_prefix("---\n").unwrap_or(&text);
    format!("{}\n", text.strip_suffix('\n').unwrap_or(text))
}

fn node(value: &Json) -> Yaml<'_> {
    let plain = |text: String| Yaml::Representation(text.into(), ScalarStyle::Plain, None);
    match value {
        Json::Null => plain("null".to_owned()),
        Json::Bool(value) => plain(value.to_string()),
        Json::Number(value) => plain(value.to_string()),
        Json::String(text) => scalar(text),
        Json::Array(items) => Yaml::Sequence(items.iter().map(node).collect()),
        Json::Object(map) => {
            Yaml::Mapping(map.iter().map(|(key, value)| (scalar(key), node(value))).collect())
        }
    }
}

fn scalar(text: &str) -> Yaml<'_> {
    if is_ambiguous(text) {
        return Yaml::Representation(text.into(), ScalarStyle::DoubleQuoted, None);
    }
    // Line breaks in YAML 1.1, no line breaks in 1.2.
    if text.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
        let json = Json::from(text).to_string();
        let inner = json.trim_start_matches('"').strip_suffix('"').unwrap_or_default();
        let escaped =
            inner.replace('\u{85}', "\\u0085").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
        return Yaml::Representation(Cow::Owned(escaped), ScalarStyle::DoubleQuoted, None);
    }
    Yaml::Value(Scalar::String(text.into()))
}

/// Whether YAML 1.1 may take it for something else than a text where 1.2 does not: `y`, `1_000`, `0b1`, `2026-01-01`.
fn is_ambiguous(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'));
    let is_number = |c: char| c.is_ascii_hexdigit() || matches!(c, '+' | '-' | '_' | '.' | 'x' | 'o');
    matches!(text, "y" | "Y" | "n" | "N") || (begins && text.chars().all(is_number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_could_be_something_else_is_quoted() {
        let value = json!({
            "n": "y", "on": "off", "a": ["1_000", "0b1", "1e3", "0o7", "017", "2026-01-01", "12:30", "~", "null", ""],
            "text": "as it is", "number": 5, "none": null, "flag": true, "empty": {}, "items": [{"x": 1, "y": -0.5}],
            "lines": "one\ntwo\n", "odd": "a\u{85}b \"c\"",
        });
        let expected = r#"a:
  - "1_000"
  - "0b1"
  - "1e3"
  - "0o7"
  - "017"
  - "2026-01-01"
  - "12:30"
  - "~"
  - "null"
  - ""
empty: {}
flag: true
items:
  - x: 1
    "y": -0.5
lines: |
  one
  two
"n": "y"
none: null
number: 5
odd: "a\u0085b \"c\""
"on": "off"
text: as it is
"#;
        assert_eq!(documents(&[value]), expected);
    }

    #[test]
    fn documents_are_apart() {
        let text = "a\n\n".to_owned();
        assert_eq!(documents(&[json!({"a": 1}), json!([])]), "a: 1\n---\n[]\n");
        let kept = documents(&[json!({ "a": text }), json!({"b": 2})]);
        assert_eq!(kept, "a: |+\n  a\n  \n...\n---\nb: 2\n");
    }
}
