//! The settings of google-cloud-pubsub-target.

use common::config::{Config, Secret, Url};
use schemars::JsonSchema;
use serde::Deserialize;

/// The environment; the comments are the user's manual.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct GoogleCloudPubsubConfig {
    /// URL that the data of each event is POSTed to.
    pub google_cloud_pubsub_url: Url,
    /// Token that is sent as bearer.
    pub google_cloud_pubsub_token: Option<Secret>,
}

impl Config for GoogleCloudPubsubConfig {}
