//! The settings of kafka-target.

use common::config::{Config, Secret, Url};
use schemars::JsonSchema;
use serde::Deserialize;

/// The environment; the comments are the user's manual.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct KafkaConfig {
    /// URL that the data of each event is POSTed to.
    pub kafka_url: Url,
    /// Token that is sent as bearer.
    pub kafka_token: Option<Secret>,
}

impl Config for KafkaConfig {}
