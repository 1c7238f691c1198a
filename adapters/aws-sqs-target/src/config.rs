//! The settings of the SQS target. The names are those of the original image.

use aws::Arn;
use common::{
    Event,
    config::{Config, Flag, Problems, Url},
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::convert::is_id;

/// Settings of the SQS target.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SqsTargetConfig {
    /// ARN of the queue; it may be of another account. One that ends with `.fifo` is a FIFO queue.
    #[schemars(example = "arn:aws:sqs:us-west-2:123456789012:orders")]
    pub arn: Arn,
    /// Whether a message is the data of its event alone; else it is all of the event, in the JSON format of CloudEvents.
    #[serde(default)]
    pub aws_discard_ce_context: Flag,
    /// URL that takes the place of that of SQS; it goes before `AWS_ENDPOINT_URL`.
    pub aws_endpoint_url_sqs: Option<Url>,
    /// Group of all messages of a FIFO queue. Without it the group is the event's `partitionkey`, else its `subject`, else
    /// its `source`.
    pub aws_message_group_id: Option<String>,
    /// Credentials and endpoint.
    #[serde(flatten)]
    pub aws: aws::Settings,
}

impl SqsTargetConfig {
    /// Whether messages need a group.
    pub fn is_fifo(&self) -> bool {
        self.arn.resource().ends_with(".fifo")
    }

    /// The URL that the queue has in its partition. Nobody has to be allowed to look it up, and where `AWS_ENDPOINT_URL`
    /// leads elsewhere its path still says which queue it is.
    pub fn queue_url(&self) -> String {
        let domain = match self.arn.partition() {
            "aws-cn" => "amazonaws.com.cn",
            "aws-eusc" => "amazonaws.eu",
            "aws-iso" => "c2s.ic.gov",
            "aws-iso-b" => "sc2s.sgov.gov",
            _ => "amazonaws.com",
        };
        format!("https://sqs.{}.{domain}/{}/{}", self.arn.region(), self.arn.account(), self.arn.resource())
    }
}

impl Config for SqsTargetConfig {
    fn validate(&self, problems: &mut Problems) {
        self.aws.validate(problems);
        let arn = &self.arn;
        if arn.service() != "sqs" || arn.region().is_empty() || arn.account().is_empty() {
            problems.add("ARN", "must be that of a queue: arn:aws:sqs:<region>:<account>:<name>");
        }
        if let Err(error) = Event::new("id", arn.as_str(), "type") {
            problems.add("ARN", format_args!("makes no valid event: {error}"));
        }
        if self.aws_message_group_id.as_deref().is_some_and(|group| !is_id(group)) {
            problems.add("AWS_MESSAGE_GROUP_ID", "must be 1 to 128 letters, digits and punctuation of ASCII");
        }
    }
}
