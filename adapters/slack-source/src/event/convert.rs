//! JSON as the original image wrote it: Go's `encoding/json`, with keys sorted, numbers in their shortest form and
//! `<`, `>` and `&` escaped.

use serde_json::{Map, Number, Value};

/// Writes a value.
pub fn to_json(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => out.extend_from_slice(in_digits(number).as_bytes()),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                separate(index, out);
                write(item, out);
            }
            out.push(b']');
        }
        Value::Object(members) => write_members(members, out),
    }
}

fn write_members(members: &Map<String, Value>, out: &mut Vec<u8>) {
    // Whether a map of `serde_json` is sorted depends on a feature that any crate can switch on.
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_unstable_by_key(|(name, _)| name.as_str());
    out.push(b'{');
    for (index, (name, value)) in sorted.into_iter().enumerate() {
        separate(index, out);
        write_text(name, out);
        out.push(b':');
        write(value, out);
    }
    out.push(b'}');
}

fn separate(index: usize, out: &mut Vec<u8>) {
    if index > 0 {
        out.push(b',');
    }
}

/// The shortest digits that give the same double again, with an exponent from 1e21 on and below 1e-6. Whole numbers keep
/// all of their digits, which those of a double would not.
fn in_digits(number: &Number) -> String {
    let Some(double) = number.as_f64().filter(|_| !number.is_i64() && !number.is_u64()) else {
        return number.to_string();
    };
    let size = double.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return double.to_string();
    }
    let text = format!("{double:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for character in text.chars() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes());
            }
            _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_that_of_the_original() {
        for (json, expected) in [
            (r#" {"b": 1, "a": {"d": [], "c": {}}, "B": null} "#, r#"{"B":null,"a":{"c":{},"d":[]},"b":1}"#),
            ("[true, false, null]", "[true,false,null]"),
            ("[0, -0, 1.0, 1.50, 100e0, -7, 0.1]", "[0,-0,1,1.5,100,-7,0.1]"),
            (
                "[1593430770.0013, 1e20, 1e21, 1.5e300]",
                "[1593430770.0013,100000000000000000000,1e+21,1.5e+300]",
            ),
            ("[0.000001, 0.0000001, -1.5e-9]", "[0.000001,1e-7,-1.5e-9]"),
            ("[9007199254740993, 18446744073709551615]", "[9007199254740993,18446744073709551615]"),
            (
                r#""a<b>&\"\\\/\n\r\t\b\f\u0001\u007f""#,
                "\"a\\u003cb\\u003e\\u0026\\\"\\\\/\\n\\r\\t\\u0008\\u000c\\u0001\u{7f}\"",
            ),
            (r#""é \ud83d\ude00 \u2028\u2029""#, "\"é 😀 \\u2028\\u2029\""),
            (r#"{"<k>": ":tada:"}"#, r#"{"\u003ck\u003e":":tada:"}"#),
        ] {
            let value: Value = serde_json::from_str(json).expect("JSON");
            assert_eq!(String::from_utf8(to_json(&value)).expect("UTF-8"), expected, "{json}");
        }
    }
}
