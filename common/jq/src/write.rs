//! Values to JSON as Go's `encoding/json` writes it, as the original did: compact, names sorted, `<`, `>` and `&` escaped.

use common::go_json;
use jaq_json::Num;

use crate::{
    budget::{self, Charge},
    value::Value,
};

/// How much of a value an error tells.
const BEGINNING: usize = 40;

/// The JSON of a value, for the data of an event.
pub(crate) fn to_json(value: &Value) -> Vec<u8> {
    let mut out = Out { json: Vec::new(), charge: Charge::default(), is_plain: false };
    out.value(value);
    out.json
}

/// The JSON of a value as the language itself knows it (`tojson`): nothing is escaped that need not be.
pub(crate) fn to_string(value: &Value) -> String {
    let mut out = Out { json: Vec::new(), charge: Charge::default(), is_plain: true };
    out.value(value);
    String::from_utf8(out.json).unwrap_or_default()
}

/// The beginning of the JSON of a value, for a message.
pub(crate) fn beginning(value: &Value) -> String {
    // What is large is cut before it is written.
    let text = match value {
        Value::Text(text) if text.as_str().len() > BEGINNING => {
            let kept: String = text.as_str().chars().take(BEGINNING).collect();
            to_string(&Value::text(kept))
        }
        Value::List(list) if list.items().len() > BEGINNING => {
            to_string(&list.items().iter().take(BEGINNING).cloned().collect())
        }
        other => to_string(other),
    };
    if text.chars().count() <= BEGINNING {
        return text;
    }
    text.chars().take(BEGINNING - 3).chain("...".chars()).collect()
}

struct Out {
    json: Vec<u8>,
    charge: Charge,
    is_plain: bool,
}

impl Out {
    fn value(&mut self, value: &Value) {
        budget::step();
        let before = self.json.len();
        match value {
            Value::Null => self.raw("null"),
            Value::Bool(true) => self.raw("true"),
            Value::Bool(false) => self.raw("false"),
            Value::Num(number) => self.raw(&number_text(number)),
            Value::Text(text) => self.string(text.as_str()),
            Value::List(list) => {
                self.raw("[");
                for (index, item) in list.items().iter().enumerate() {
                    self.separator(index);
                    self.value(item);
                }
                self.raw("]");
            }
            Value::Object(object) => {
                self.raw("{");
                for (index, (name, value)) in object.members().iter().enumerate() {
                    self.separator(index);
                    self.string(name.as_str());
                    self.raw(":");
                    self.value(value);
                }
                self.raw("}");
            }
        }
        if !matches!(value, Value::List(_) | Value::Object(_)) {
            self.charge.grow(2 * (self.json.len() - before));
        }
    }

    fn separator(&mut self, index: usize) {
        if index > 0 {
            self.json.push(b',');
        }
    }

    fn raw(&mut self, text: &str) {
        self.json.extend_from_slice(text.as_bytes());
    }

    fn string(&mut self, text: &str) {
        if !self.is_plain {
            return go_json::string(&mut self.json, text);
        }
        self.json.push(b'"');
        for c in text.chars() {
            match c {
                '"' => self.raw("\\\""),
                '\\' => self.raw("\\\\"),
                '\n' => self.raw("\\n"),
                '\r' => self.raw("\\r"),
                '\t' => self.raw("\\t"),
                '\u{8}' => self.raw("\\b"),
                '\u{c}' => self.raw("\\f"),
                '\0'..='\u{1f}' | '\u{7f}' => self.raw(&format!("\\u{:04x}", c as u32)),
                _ => self.raw(c.encode_utf8(&mut [0; 4])),
            }
        }
        self.json.push(b'"');
    }
}

/// A number: one that was read as it was written, one that was calculated as Go writes a float of 64 bits.
fn number_text(number: &Num) -> String {
    match number {
        Num::Float(float) if float.is_nan() => "null".to_owned(),
        Num::Float(float) => float_text(float.clamp(f64::MIN, f64::MAX)),
        other => other.to_string(),
    }
}

fn float_text(float: f64) -> String {
    let size = float.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{float:e}");
        // Go writes the sign of the exponent.
        return if text.contains("e-") { text } else { text.replace('e', "e+") };
    }
    format!("{float}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calculated_numbers_are_written_as_go_does() {
        for (float, text) in [
            (3.0, "3"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e21, "1e+21"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1e-7, "1e-7"),
            (-1.5e-9, "-1.5e-9"),
            (f64::NAN, "null"),
            (f64::INFINITY, "1.7976931348623157e+308"),
        ] {
            assert_eq!(number_text(&Num::Float(float)), text);
        }
    }
}
