//! The settings of aws-s3-target.

use common::config::{Config, Secret, Url};
use schemars::JsonSchema;
use serde::Deserialize;

/// The environment; the comments are the user's manual.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct AwsS3Config {
    /// URL that the data of each event is POSTed to.
    pub aws_s3_url: Url,
    /// Token that is sent as bearer.
    pub aws_s3_token: Option<Secret>,
}

impl Config for AwsS3Config {}
