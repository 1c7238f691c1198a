//! What the conformance kit needs to know of slack-source.

use kit::{Harness, Request};
use serde_json::json;

/// A plain request, as the vendor sends it.
fn request(number: u64) -> Request {
    Request::post("/").json(&json!({ "number": number }))
}

/// Any request is an event; with a token only those that bear it.
pub fn harness() -> Harness {
    let forged = request(0).header("Authorization", "Bearer wrong");
    Harness::webhook(request)
        .environment(|_| vec![("SLACK_EVENT_SOURCE", "/slack/test")])
        .credentials(
            "token",
            &[("SLACK_TOKEN", "a token for tests")],
            |number| request(number).header("Authorization", "Bearer a token for tests"),
            vec![("no token", request(0)), ("another token", forged)],
        )
}
