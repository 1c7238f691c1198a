//! The environment of the transformation of XML: it has no settings of its own.

use common::config::Config;
use schemars::JsonSchema;
use serde::Deserialize;

/// No settings.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct XmlConfig {}

impl Config for XmlConfig {}
