//! What the conformance kit needs to know of the Slack target.

use std::net::SocketAddr;
use std::sync::OnceLock;

use kit::{Example, Fault, Harness, Reply, Sink};
use serde_json::json;

/// The data of each event are the arguments of a call.
pub fn harness() -> Harness {
    Harness::target(vec![
        Example::json("com.slack.webapi.chat.postMessage", &json!({"channel": "C1", "text": "hello"})),
        Example::json("com.slack.webapi.chat.update", &json!({"channel": "C1", "text": "hi", "ts": "1.2"})),
    ])
    .environment(|world| {
        if let Some(address) = slack() {
            world.upstream.stand_before(address);
        }
        vec![
            ("SLACK_TOKEN", "xoxb-correct-horse".to_owned()),
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
    .opt_out("T10", "the arguments of a call are JSON; anything else is refused (T9)")
}

/// A Slack that says yes to everything: success is an answer that says so.
fn slack() -> Option<SocketAddr> {
    static SLACK: OnceLock<Option<Sink>> = OnceLock::new();
    let slack = SLACK.get_or_init(|| {
        let slack = Sink::start().ok()?;
        slack.always(Reply::json(&json!({"ok": true, "channel": "C1", "ts": "1503435956.000247"})));
        Some(slack)
    });
    slack.as_ref().map(Sink::address)
}
