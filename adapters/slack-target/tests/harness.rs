//! What the conformance kit needs to know of slack-target.

use kit::{Example, Harness};
use serde_json::json;

/// The data of each event reaches the outside system as the body of a request.
pub fn harness() -> Harness {
    Harness::target(vec![Example::json("com.slack.event", &json!({ "text": "hello" }))])
        .environment(|world| vec![("SLACK_URL", world.upstream.url("/"))])
        .opt_out("T9", "any data is passed on as it is")
}
