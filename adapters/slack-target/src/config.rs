//! The settings of slack-target.

use common::config::{Config, Secret, Url};
use schemars::JsonSchema;
use serde::Deserialize;

/// The environment; the comments are the user's manual.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SlackConfig {
    /// URL that the data of each event is POSTed to.
    pub slack_url: Url,
    /// Token that is sent as bearer.
    pub slack_token: Option<Secret>,
}

impl Config for SlackConfig {}
