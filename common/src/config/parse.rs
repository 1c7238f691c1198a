//! Types that parse themselves from the text of a variable, and tell the schema what they expect.

use std::{any::type_name, borrow::Cow, collections::HashMap, sync::Mutex};

use schemars::Schema;

/// A configuration value that parses itself from text.
///
/// Use the macro [`config_type!`](crate::config_type) to give such a type `Deserialize`, `Serialize` and `JsonSchema`.
pub trait Parse: Sized {
    /// The JSON Schema `format` that tells a user what kind of text it is.
    const FORMAT: &'static str;
    /// What a value looks like, the end of a sentence: `must be …`.
    const EXPECTED: &'static str;
    /// The JSON type that a manifest uses for it.
    const JSON_TYPE: &'static str = "string";

    /// Reads the text.
    ///
    /// # Errors
    /// What is wrong, without the value (it may be a secret).
    fn parse(text: &str) -> Result<Self, String>;
}

/// The member of a schema that names the type which checks the value; it is not shown to users.
pub(crate) const CHECKER: &str = "checker";

type Checker = fn(&str) -> Result<(), String>;

/// Checkers by type. A type enters itself when its schema is asked for, which is always before a walk needs it.
static CHECKERS: Mutex<Option<HashMap<&'static str, Checker>>> = Mutex::new(None);

/// The JSON Schema of a self-parsing type.
#[must_use]
pub fn json_schema<T: Parse + 'static>() -> Schema {
    if let Ok(mut checkers) = CHECKERS.lock() {
        checkers.get_or_insert_default().insert(type_name::<T>(), |text| T::parse(text).map(drop));
    }
    schemars::json_schema!({ "type": T::JSON_TYPE, "format": T::FORMAT, CHECKER: type_name::<T>() })
}

/// Checks a text by the type that a schema names; types that have not entered themselves pass.
pub(crate) fn check(checker: &str, text: &str) -> Result<(), String> {
    let checker = CHECKERS.lock().ok().and_then(|checkers| checkers.as_ref()?.get(checker).copied());
    checker.map_or(Ok(()), |checker| checker(text))
}

/// Parses for serde; the message holds what was expected and never the value.
pub fn deserialize<'de, T: Parse, D: serde::Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let text: Cow<'de, str> = serde::Deserialize::deserialize(deserializer)?;
    T::parse(&text).map_err(serde::de::Error::custom)
}

/// Gives a type with [`Parse`](crate::config::Parse) and `Display` its `Deserialize`, `Serialize` and `JsonSchema`.
#[macro_export]
macro_rules! config_type {
    ($type:ty) => {
        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as ::serde::Deserialize>::deserialize(deserializer)?;
                <$type as $crate::config::Parse>::parse(&text).map_err(::serde::de::Error::custom)
            }
        }

        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl ::schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                $crate::config::parsed_schema::<$type>()
            }
        }
    };
}
