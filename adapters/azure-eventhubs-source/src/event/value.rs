//! Values of AMQP as Go's `encoding/json` writes what its AMQP library makes of them.

use std::collections::BTreeMap;

use azure_core_amqp::{AmqpOrderedMap, AmqpSimpleValue};
use chrono::{DateTime, Utc};
use common::go_json;

/// Application properties, sorted by name, or `null`.
pub fn map(out: &mut Vec<u8>, properties: Option<&AmqpOrderedMap<String, AmqpSimpleValue>>) {
    match properties {
        None => go_json::optional(out, None),
        Some(properties) => {
            let sorted: BTreeMap<_, _> =
                properties.iter().map(|(name, value)| (name.as_str(), value)).collect();
            go_json::object(out, sorted, simple);
        }
    }
}

/// A UUID: an array of bytes to Go.
pub fn uuid(out: &mut Vec<u8>, bytes: &[u8; 16]) {
    go_json::list(out, Some(bytes), |out, byte| out.extend_from_slice(byte.to_string().as_bytes()));
}

fn simple(out: &mut Vec<u8>, value: &AmqpSimpleValue) {
    let mut plain = |text: String| out.extend_from_slice(text.as_bytes());
    match value {
        AmqpSimpleValue::Boolean(value) => plain(value.to_string()),
        AmqpSimpleValue::UByte(value) => plain(value.to_string()),
        AmqpSimpleValue::Byte(value) => plain(value.to_string()),
        AmqpSimpleValue::UShort(value) => plain(value.to_string()),
        AmqpSimpleValue::Short(value) => plain(value.to_string()),
        AmqpSimpleValue::UInt(value) => plain(value.to_string()),
        AmqpSimpleValue::Int(value) => plain(value.to_string()),
        AmqpSimpleValue::ULong(value) => plain(value.to_string()),
        AmqpSimpleValue::Long(value) => plain(value.to_string()),
        AmqpSimpleValue::Float(value) => {
            plain(number(f64::from(*value), value.to_string(), format!("{value:e}")))
        }
        AmqpSimpleValue::Double(value) => plain(number(*value, value.to_string(), format!("{value:e}"))),
        AmqpSimpleValue::Char(value) => plain(u32::from(*value).to_string()),
        AmqpSimpleValue::TimeStamp(time) => match time.0 {
            None => go_json::optional(out, None),
            Some(time) => {
                let text = DateTime::<Utc>::from(time).format("%Y-%m-%dT%H:%M:%S%.f").to_string();
                let fraction = if text.contains('.') { text.trim_end_matches('0') } else { &text };
                go_json::string(out, &format!("{}Z", fraction.trim_end_matches('.')));
            }
        },
        AmqpSimpleValue::Uuid(id) => uuid(out, id.as_bytes()),
        AmqpSimpleValue::String(text) => go_json::string(out, text),
        AmqpSimpleValue::Symbol(symbol) => go_json::string(out, &symbol.0),
        AmqpSimpleValue::Binary(bytes) => go_json::bytes(out, Some(bytes)),
        // Null, and what Go's library has no value for.
        _ => go_json::optional(out, None),
    }
}

/// A number: plain, or with an exponent where Go writes one.
fn number(value: f64, plain: String, exponent: String) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "null".to_owned()
    } else if size != 0.0 && !(1e-6..1e21).contains(&size) {
        if exponent.contains("e-") { exponent } else { exponent.replace('e', "e+") }
    } else {
        plain
    }
}
