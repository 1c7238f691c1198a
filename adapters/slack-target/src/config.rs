//! The environment of the Slack target. The token's name is that of the original image.

use common::{
    Event,
    config::{Config, Duration, Problems, Secret, Url},
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the Slack target.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SlackConfig {
    /// Token of the Slack app (`xoxb-…`) with the scope `chat:write`.
    pub slack_token: Secret,
    /// Where the methods of Slack's Web API are, when it is not `https://slack.com/api`.
    pub slack_api_url: Option<Url>,
    /// Time that one call may take, its answer included.
    #[serde(default = "default_timeout")]
    pub slack_timeout: Duration,
    /// Source of the reply events (only `EVENTS_PAYLOAD_POLICY=always` asks for any), a URI reference.
    #[serde(default = "default_event_source")]
    pub slack_event_source: String,
}

impl Config for SlackConfig {
    fn validate(&self, problems: &mut Problems) {
        let url = self.slack_api_url.as_ref();
        if url.is_some_and(|url| url.query().is_some() || url.fragment().is_some()) {
            problems.add("SLACK_API_URL", "must have neither query nor fragment");
        }
        if self.slack_timeout.is_zero() {
            problems.add("SLACK_TIMEOUT", "must be longer than 0");
        }
        if let Err(error) = Event::new("id", self.slack_event_source.as_str(), "type") {
            problems.add("SLACK_EVENT_SOURCE", format_args!("must suit an event: {error}"));
        }
    }
}

fn default_timeout() -> Duration {
    Duration::seconds(20)
}

fn default_event_source() -> String {
    "io.triggermesh.slacktarget".to_owned()
}

#[cfg(test)]
mod tests {
    use common::config::of;

    use super::*;

    #[test]
    fn what_cannot_work_is_named() {
        for (name, value, problems) in [
            ("SLACK_API_URL", "https://slack.example.com/api/", 0),
            ("SLACK_API_URL", "https://slack.example.com/api?team=1", 1),
            ("SLACK_API_URL", "slack.example.com", 1),
            ("SLACK_TIMEOUT", "0", 1),
            ("SLACK_EVENT_SOURCE", "a\nb", 1),
        ] {
            let settings = [("SLACK_TOKEN", "xoxb-hunter2"), (name, value)];
            let found = of::<SlackConfig>(&settings).map_or_else(|error| error.problems, |_| Vec::new());
            assert_eq!(found.len(), problems, "{name}={value}: {found:?}");
            assert!(found.iter().all(|problem| problem.starts_with(name)), "{found:?}");
        }
    }
}
