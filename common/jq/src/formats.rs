//! Texts in the clothes of other formats: HTML, URIs, base64 and base32.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use data_encoding::{BASE32, BASE32_NOPAD};
use jaq_core::{
    DataT, RunPtr,
    native::{Filter, bome, v},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::value::{Error, ValR, Value};

/// With or without the signs at its end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// All but what RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const HTML: [(&str, &str); 5] =
    [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("'", "&#39;"), ("\"", "&quot;")];

pub(crate) fn list<D: for<'a> DataT<V<'a> = Value>>() -> Vec<Filter<RunPtr<D>>> {
    vec![
        ("escape_html", v(0), |cv| bome(map(&cv.1, |text| Ok(replaced(text, HTML.iter().copied()))))),
        ("unescape_html", v(0), |cv| {
            bome(map(&cv.1, |text| Ok(replaced(text, HTML.iter().rev().map(|(c, entity)| (*entity, *c))))))
        }),
        ("encode_uri", v(0), |cv| {
            bome(map(&cv.1, |text| Ok(utf8_percent_encode(text, RESERVED).to_string())))
        }),
        ("decode_uri", v(0), |cv| {
            bome(map(&cv.1, |text| Ok(percent_decode_str(text).decode_utf8_lossy().into())))
        }),
        ("encode_base64", v(0), |cv| bome(map(&cv.1, |text| Ok(STANDARD.encode(text))))),
        ("decode_base64", v(0), |cv| bome(map(&cv.1, |text| decoded("base64", LENIENT.decode(text))))),
        ("encode_base32", v(0), |cv| bome(map(&cv.1, |text| Ok(BASE32.encode(text.as_bytes()))))),
        ("decode_base32", v(0), |cv| {
            bome(map(&cv.1, |text| {
                decoded("base32", BASE32_NOPAD.decode(text.trim_end_matches('=').as_bytes()))
            }))
        }),
    ]
}

fn map(value: &Value, map: impl Fn(&str) -> ValR<String>) -> ValR {
    match value {
        Value::Text(text) => map(text.as_str()).map(Value::text),
        other => Err(Error::typ(other.clone(), "string")),
    }
}

fn decoded(format: &str, bytes: Result<Vec<u8>, impl std::fmt::Display>) -> ValR<String> {
    match bytes {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Err(Error::str(format_args!("cannot decode {format}: {error}"))),
    }
}

fn replaced<'a>(text: &str, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    pairs.fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
