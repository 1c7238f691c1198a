//! Secrets: never shown, and read from `<NAME>_FILE` again when that file changes.

use std::{borrow::Cow, fmt, sync::Arc};

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{Config, ConfigError, Environment, WatchedFile, schema};

/// Marks a value as the path of a secret's file. A NUL cannot stand in a variable, so nobody can write it by hand.
const FILE_MARK: &str = "\0file:";

/// A value that must not be seen: it has no `Display`, its `Debug` shows nothing, and it may live in a file.
///
/// Every `Secret` field `NAME` can also be given as `NAME_FILE`, a path that is read again when the file changes.
#[derive(Clone)]
pub struct Secret(Source);

#[derive(Clone)]
enum Source {
    Fixed(Arc<str>),
    File(Arc<WatchedFile>),
}

impl Secret {
    /// A secret from memory.
    #[must_use]
    pub fn new(value: &str) -> Self {
        Self(Source::Fixed(value.into()))
    }

    /// A secret from a file, read again when the file changes.
    #[must_use]
    pub fn file(path: &str) -> Self {
        Self(Source::File(Arc::new(WatchedFile::new(path))))
    }

    /// The value as it is now. Empty when its file has never been readable: compare with care, see [`is_empty`](Self::is_empty).
    #[must_use]
    pub fn read(&self) -> Arc<str> {
        match &self.0 {
            Source::Fixed(value) => Arc::clone(value),
            Source::File(file) => file.read().unwrap_or_else(|| "".into()),
        }
    }

    /// Whether there is no value, in which case nothing may be let in by it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read().is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = String::deserialize(deserializer)?;
        Ok(value.strip_prefix(FILE_MARK).map_or_else(|| Self::new(&value), Self::file))
    }
}

impl JsonSchema for Secret {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "secret": true })
    }
}

/// The environment with each secret's `<NAME>_FILE` turned into the secret itself.
pub(super) fn with_files<C: Config>(environment: &Environment) -> Result<Cow<'_, Environment>, ConfigError> {
    if !environment.keys().any(|name| name.ends_with("_FILE")) {
        return Ok(Cow::Borrowed(environment));
    }
    let mut result = environment.clone();
    let mut problems = Vec::new();
    for (name, _) in schema::properties::<C>().into_iter().filter(|(_, property)| schema::is_secret(property))
    {
        let file_name = format!("{name}_FILE");
        let Some(path) = environment.get(&file_name) else { continue };
        if environment.contains_key(&name) {
            problems.push(format!("{file_name} and {name} must not both be set"));
        } else if WatchedFile::new(path).read().is_none_or(|content| content.is_empty()) {
            problems.push(format!("{file_name} must name a readable file that is not empty: {path}"));
        }
        result.insert(name, format!("{FILE_MARK}{path}"));
    }
    if problems.is_empty() { Ok(Cow::Owned(result)) } else { Err(ConfigError { problems }) }
}
