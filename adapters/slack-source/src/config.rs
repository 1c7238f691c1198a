//! The environment of the Slack source; the names are those of the original image.

use common::config::{Config, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the Slack source.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SlackConfig {
    /// Id of the Slack app whose events are taken; those of other apps are answered with 200 and go nowhere.
    #[schemars(example = &"A0123ABC456")]
    pub slack_app_id: Option<String>,
    /// Signing secret of the Slack app. Without it requests are not checked: whoever reaches this address can make events.
    pub slack_signing_secret: Option<Secret>,
}

impl Config for SlackConfig {}
