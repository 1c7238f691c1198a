//! The settings of azure-eventhubs-target.

use common::config::{Config, Secret, Url};
use schemars::JsonSchema;
use serde::Deserialize;

/// The environment; the comments are the user's manual.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct AzureEventhubsConfig {
    /// URL that the data of each event is POSTed to.
    pub azure_eventhubs_url: Url,
    /// Token that is sent as bearer.
    pub azure_eventhubs_token: Option<Secret>,
}

impl Config for AzureEventhubsConfig {}
