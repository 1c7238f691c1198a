//! Variables that hold a document: JSON of a known shape, and PEM text.

use std::{borrow::Cow, fmt, ops::Deref};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;

use super::Parse;

/// A JSON document of shape `T` in a variable; `null` is the default of `T`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + Default> Parse for Json<T> {
    const FORMAT: &'static str = "json";
    const EXPECTED: &'static str = "a JSON document of the documented shape";

    fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str::<Option<T>>(text).map(|value| Self(value.unwrap_or_default())).map_err(
            |error| format!("must be {} (line {}, column {})", Self::EXPECTED, error.line(), error.column()),
        )
    }
}

impl<'de, T: DeserializeOwned + Default> serde::Deserialize<'de> for Json<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::parse::deserialize(deserializer)
    }
}

impl<T: DeserializeOwned + Default + 'static> JsonSchema for Json<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Json".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        super::parsed_schema::<Self>()
    }
}

impl<T> Deref for Json<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

/// One or more certificates in PEM form (RFC 7468), as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pem(pub String);

impl Parse for Pem {
    const FORMAT: &'static str = "pem";
    const EXPECTED: &'static str = "one or more certificates in PEM form";

    fn parse(text: &str) -> Result<Self, String> {
        use rustls_pki_types::{CertificateDer, pem::PemObject};
        let mut certificates = CertificateDer::pem_slice_iter(text.as_bytes()).peekable();
        if certificates.peek().is_none() || certificates.any(|certificate| certificate.is_err()) {
            return Err(format!("must be {}", Self::EXPECTED));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

crate::config_type!(Pem);
