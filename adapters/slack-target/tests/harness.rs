//! What the conformance kit needs to know of the Slack target.

use std::sync::OnceLock;

use kit::{Example, Fault, Harness, Reply};
use peers::Slack;
use serde_json::json;

/// The data of each event are the arguments of a call.
pub fn harness() -> Harness {
    Harness::target(vec![
        Example::json("com.slack.webapi.chat.postMessage", &json!({"channel": "C1", "text": "hello"})),
        Example::json(
            "com.slack.webapi.chat.scheduleMessage",
            &json!({"channel": "C2", "text": "a new century", "post_at": 4_102_444_800_u64}),
        ),
    ])
    .environment(|world| {
        if let Some(slack) = slack() {
            world.upstream.stand_before(slack.api.address());
        }
        vec![
            ("SLACK_TOKEN", Slack::TOKEN.to_owned()),
            ("SLACK_API_URL", world.upstream.url("/api")),
            ("SLACK_TIMEOUT", "10s".to_owned()),
        ]
    })
    .fault(|running, fault| {
        let code = match fault {
            Fault::Permanent => "channel_not_found",
            Fault::Transient => "internal_error",
        };
        running.upstream.always(Reply::json(&json!({"ok": false, "error": code})));
    })
    .malformed(Example::json("com.slack.webapi.chat.postMessage", &json!(["no", "arguments"])))
    .wrong(&[("SLACK_API_URL", "https://slack.com/api?team=1"), ("SLACK_TIMEOUT", "0")])
    .varying(&[
        ("/answers_always/event/data/ts", "1767323045.000100"),
        ("/answers_always/event/data/message/ts", "1767323045.000100"),
    ])
    .opt_out("T10", "the arguments of a call are JSON; anything else is refused (T9)")
}

/// One for all trials: nothing that it keeps matters to them.
fn slack() -> Option<&'static Slack> {
    static SLACK: OnceLock<Option<Slack>> = OnceLock::new();
    SLACK.get_or_init(|| Slack::start().ok()).as_ref()
}
