//! The settings of slack-source.

use common::config::{Config, Problems, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

/// The environment; the comments are the user's manual.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SlackConfig {
    /// `type` of the events.
    #[serde(default = "default_event_type")]
    pub slack_event_type: String,
    /// `source` of the events: a URI reference that says where they come from.
    #[schemars(example = "/slack/main")]
    pub slack_event_source: String,
    /// Token that the vendor sends as bearer; without it anyone may post.
    pub slack_token: Option<Secret>,
}

impl Config for SlackConfig {
    fn validate(&self, problems: &mut Problems) {
        let event = common::Event::new("id", self.slack_event_source.as_str(), "type");
        if let Err(error) = event {
            problems.add("SLACK_EVENT_SOURCE", format_args!("makes no valid event: {error}"));
        }
        let event = common::Event::new("id", "/", self.slack_event_type.as_str());
        if let Err(error) = event {
            problems.add("SLACK_EVENT_TYPE", format_args!("makes no valid event: {error}"));
        }
    }
}

fn default_event_type() -> String {
    "com.slack.event".to_owned()
}
