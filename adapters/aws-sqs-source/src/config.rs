//! The settings of aws-sqs-source.

use common::config::{Config, Duration, Problems};
use schemars::JsonSchema;
use serde::Deserialize;

/// The environment; the comments are the user's manual.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct AwsSqsConfig {
    /// `source` of the events: a URI reference that says where they come from.
    #[schemars(example = "/aws-sqs/main")]
    pub aws_sqs_event_source: String,
    /// Time from one event to the next.
    #[serde(default = "default_period")]
    pub aws_sqs_period: Duration,
}

impl Config for AwsSqsConfig {
    fn validate(&self, problems: &mut Problems) {
        if let Err(error) = common::Event::new("id", self.aws_sqs_event_source.as_str(), "type") {
            problems.add("AWS_SQS_EVENT_SOURCE", format_args!("makes no valid event: {error}"));
        }
        if self.aws_sqs_period.is_zero() {
            problems.add("AWS_SQS_PERIOD", "must be longer than nothing");
        }
    }
}

fn default_period() -> Duration {
    Duration::seconds(60)
}
