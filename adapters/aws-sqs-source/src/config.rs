//! The settings of the SQS source. The names are those of the original image.

use aws::Arn;
use common::{
    Event,
    config::{Config, Duration, Problems, Url},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::HIDDEN_MAX;

/// Settings of the SQS source.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SqsSourceConfig {
    /// ARN of the queue; it may be of another account.
    #[schemars(example = "arn:aws:sqs:us-west-2:123456789012:orders")]
    pub arn: Arn,
    /// How messages are read: `default` makes an event of each message as it is, `s3` events of notifications of a bucket,
    /// `eventbridge` events of those of a bus.
    #[serde(default)]
    pub sqs_message_processor: Processor,
    /// How long a message stays hidden from others after it was received, in whole seconds up to `12h`; it is prolonged
    /// while the sink is slow. The queue's own visibility timeout when it is not set.
    pub sqs_visibility_timeout: Option<Duration>,
    /// URL that takes the place of that of SQS; it goes before `AWS_ENDPOINT_URL`.
    pub aws_endpoint_url_sqs: Option<Url>,
    /// Source of the events under `eventbridge`: the ARN of the bus. That of the queue when it is not set.
    pub ce_source: Option<String>,
    /// Credentials and endpoint.
    #[serde(flatten)]
    pub aws: aws::Settings,
}

/// How messages are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Processor {
    /// Each message is an event.
    #[default]
    Default,
    /// Messages are notifications of a bucket.
    S3,
    /// Messages are events of a bus.
    EventBridge,
}

impl SqsSourceConfig {
    /// Whether messages have groups whose order counts.
    pub fn is_fifo(&self) -> bool {
        self.arn.resource().ends_with(".fifo")
    }

    /// The source of events of a bus.
    pub fn bus(&self) -> &str {
        self.ce_source.as_deref().unwrap_or(self.arn.as_str())
    }

    /// How long a message is hidden, where that is set.
    pub fn lease(&self) -> Option<std::time::Duration> {
        self.sqs_visibility_timeout.map(|time| std::time::Duration::from_secs(time.as_secs()))
    }
}

impl Config for SqsSourceConfig {
    fn validate(&self, problems: &mut Problems) {
        self.aws.validate(problems);
        if self.arn.service() != "sqs" || self.arn.region().is_empty() {
            problems.add("ARN", "must be that of a queue: arn:aws:sqs:<region>:<account>:<name>");
        }
        if self.lease().is_some_and(|time| time.is_zero() || time > HIDDEN_MAX) {
            problems.add("SQS_VISIBILITY_TIMEOUT", "must be from 1s to 12h");
        }
        for (name, source) in [("ARN", self.arn.as_str()), ("CE_SOURCE", self.bus())] {
            if let Err(error) = Event::new("id", source, "type") {
                problems.add(name, format_args!("makes no valid event: {error}"));
            }
        }
    }
}
