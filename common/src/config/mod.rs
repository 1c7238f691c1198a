//! Configuration: one flat struct is the environment of an adapter, and every mistake in it is named at once.
//!
//! `envy` reads the struct. The struct's JSON Schema is walked over the environment, so that one line tells every
//! missing and every bad variable, what was expected, and never a value (it may be a secret).

mod check;
mod duration;
mod extension;
mod json;
mod pairs;
mod parse;
pub(crate) mod schema;
mod secret;
mod values;
mod verb;
mod watched;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

pub use duration::Duration;
pub use extension::Extension;
pub use json::{Json, Pem};
pub use pairs::Pairs;
pub use parse::{Parse, json_schema as parsed_schema};
pub use secret::Secret;
pub use values::{Flag, List, Url};
pub use verb::Verb;
pub use watched::WatchedFile;

/// The environment as the frame sees it: variables that are set and not empty.
pub type Environment = BTreeMap<String, String>;

/// The environment of an adapter as a flat struct: field `sqs_visibility_timeout` is `SQS_VISIBILITY_TIMEOUT`.
///
/// Doc comments become the user's manual; field types parse themselves.
pub trait Config: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// Adds what is wrong between fields; what is wrong with one field alone is the business of its type.
    fn validate(&self, problems: &mut Problems) {
        let _ = problems;
    }
}

/// The mistakes in a configuration, each a sentence that names the variable.
#[derive(Debug, Default)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Adds one: `problem` is the end of a sentence whose subject is the variable, such as `must not be empty`.
    pub fn add(&mut self, variable: &str, problem: impl std::fmt::Display) {
        self.0.push(format!("{variable} {problem}"));
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The sentences.
    #[must_use]
    pub fn into_vec(self) -> Vec<String> {
        self.0
    }

    pub(crate) fn extend(&mut self, others: Vec<String>) {
        self.0.extend(others);
    }
}

/// A configuration that cannot work; the process ends with exit code 78.
#[derive(Debug, thiserror::Error)]
#[error("invalid configuration: {}", .problems.join("; "))]
pub struct ConfigError {
    /// One sentence for each mistake, each naming its variable.
    pub problems: Vec<String>,
}

impl ConfigError {
    /// One mistake: `problem` is the end of a sentence whose subject is the variable.
    #[must_use]
    pub fn new(variable: &str, problem: impl std::fmt::Display) -> Self {
        Self { problems: vec![format!("{variable} {problem}")] }
    }
}

/// Reads a configuration.
///
/// # Errors
/// All mistakes at once.
pub fn load<C: Config>(environment: &Environment) -> Result<C, ConfigError> {
    let environment = secret::with_files::<C>(environment)?;
    let config = match envy::from_iter::<_, C>(
        environment.iter().map(|(name, value)| (name.clone(), value.clone())),
    ) {
        Ok(config) => config,
        Err(error) => return Err(check::explain::<C>(&environment, &error)),
    };
    let mut problems = Problems::default();
    problems.extend(check::walk::<C>(&environment));
    config.validate(&mut problems);
    if problems.is_empty() { Ok(config) } else { Err(ConfigError { problems: problems.into_vec() }) }
}

/// Reads a configuration that is these settings, for tests; as in an environment, empty ones count as absent.
///
/// # Errors
/// As [`load`].
pub fn of<C: Config>(settings: &[(&str, &str)]) -> Result<C, ConfigError> {
    let given = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let mut environment: Environment = given.collect();
    environment.retain(|_, value| !value.is_empty());
    load(&environment)
}

/// The process's environment without empty variables, with command-line settings laid over it.
#[must_use]
pub fn environment(overrides: &Environment) -> Environment {
    let mut environment: Environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    environment.extend(overrides.clone());
    environment
}
