//! How attribute values travel in headers: percent-encoding (CloudEvents HTTP binding 1.0.2, section 3.1.3.2; the
//! NATS binding has the same rules).

use bytes::{BufMut, BytesMut};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode, utf8_percent_encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What must be encoded, beside everything outside ASCII: control characters, space, `"` and `%`; nothing else.
const ENCODED: AsciiSet = CONTROLS.add(b' ').add(b'"').add(b'%');

/// How attribute values in headers are read (`CE_HEADER_DECODE`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HeaderDecode {
    /// As the specification says: quoted strings are undone, then one round of percent-decoding.
    #[default]
    Spec,
    /// As they stand, for senders that are known not to encode (a literal `%41` stays `%41`).
    Raw,
}

/// Whether a value cannot stand in a header as it is.
#[must_use]
pub fn needs_encoding(value: &str) -> bool {
    !value.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'%')
}

/// The value with everything encoded that must be.
#[must_use]
pub fn encode(value: &str) -> String {
    utf8_percent_encode(value, &ENCODED).to_string()
}

/// Appends the decoded value to `out`; whether the result is UTF-8 remains to be checked.
///
/// Lenient where the specification leaves room: raw spaces and raw bytes stay, as does a `%` without two hexadecimal
/// digits and a quotation mark that begins no well-formed quoted string.
pub fn decode(value: &[u8], how: HeaderDecode, out: &mut BytesMut) {
    let plain = !value.contains(&b'%') && value.first() != Some(&b'"');
    if how == HeaderDecode::Raw || plain {
        return out.put_slice(value);
    }
    match unquote(value) {
        Some(text) => out.extend(percent_decode(&text)),
        None => out.extend(percent_decode(value)),
    }
}

/// What a quoted string (RFC 9110, section 5.6.4) means, or `None` when the value is none.
fn unquote(value: &[u8]) -> Option<Vec<u8>> {
    let inner = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut text = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'"' => return None,
            // A backslash before the last quotation mark escapes it, so that the string has no end.
            b'\\' => text.push(*bytes.next()?),
            _ => text.push(byte),
        }
    }
    Some(text)
}
