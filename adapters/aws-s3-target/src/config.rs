//! The settings of the S3 target. The names are those of the original image.

use aws::Arn;
use common::{
    Event,
    config::{Config, Duration, Flag, Problems, Url},
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the S3 target.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct S3Config {
    /// ARN of the bucket.
    #[schemars(example = "arn:aws:s3:::orders")]
    pub arn: Arn,
    /// Whether the data alone is stored; else the whole event, in the JSON format of CloudEvents.
    #[serde(default)]
    pub aws_discard_ce_context: Flag,
    /// URL that takes the place of that of S3; it goes before `AWS_ENDPOINT_URL`. With either, the bucket is in the path.
    pub aws_endpoint_url_s3: Option<Url>,
    /// Time that one attempt to store an object may take.
    #[serde(default = "default_timeout")]
    pub aws_s3_timeout: Duration,
    /// Credentials and endpoint.
    #[serde(flatten)]
    pub aws: aws::Settings,
}

impl S3Config {
    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        self.arn.resource()
    }

    /// The endpoint that is not AWS's own.
    pub fn endpoint(&self) -> Option<&Url> {
        self.aws_endpoint_url_s3.as_ref().or(self.aws.aws_endpoint_url.as_ref())
    }

    /// The region before the bucket's own is known: where names are global, any of the partition will do.
    pub fn first_region(&self) -> &str {
        self.aws.aws_region.as_ref().map_or_else(|| self.arn.home_region(), |region| &region.0)
    }
}

impl Config for S3Config {
    fn validate(&self, problems: &mut Problems) {
        self.aws.validate(problems);
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if self.arn.service() != "s3" || !self.bucket().chars().all(named) {
            problems.add("ARN", "must be that of a bucket, without a path: arn:aws:s3:::<bucket>");
        }
        if let Err(error) = Event::new("id", self.arn.as_str(), "type") {
            problems.add("ARN", format_args!("makes no valid event: {error}"));
        }
        if self.aws_s3_timeout.is_zero() || *self.aws_s3_timeout > LONGEST {
            problems.add("AWS_S3_TIMEOUT", "must be from 1ms to 2m");
        }
    }
}

/// Longer than any caller waits.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(120);

fn default_timeout() -> Duration {
    Duration::seconds(20)
}
