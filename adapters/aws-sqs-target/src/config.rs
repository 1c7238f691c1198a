//! The settings of aws-sqs-target.

use common::config::{Config, Secret, Url};
use schemars::JsonSchema;
use serde::Deserialize;

/// The environment; the comments are the user's manual.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct AwsSqsConfig {
    /// URL that the data of each event is POSTed to.
    pub aws_sqs_url: Url,
    /// Token that is sent as bearer.
    pub aws_sqs_token: Option<Secret>,
}

impl Config for AwsSqsConfig {}
