//! What the conformance kit needs to know of the Slack source.

use std::sync::atomic::{AtomicU64, Ordering};

use kit::{Harness, Request};
use peers::{Slack, slack::now};
use serde_json::json;

const SECRET: &str = Slack::SIGNING_SECRET;

/// What happened in the workspace is an event, each time another.
pub fn harness() -> Harness {
    let (mut moved, mut cut) = (signed(SECRET, now()), signed(SECRET, now()));
    moved.body = body().into();
    for (_, signature) in cut.headers.iter_mut().filter(|(name, _)| name == "X-Slack-Signature") {
        signature.truncate(2);
    }
    Harness::webhook(|_| Request::post("/").body("application/json", body()))
        .credentials(
            "a signature",
            &[("SLACK_SIGNING_SECRET", SECRET)],
            |_| signed(SECRET, now()),
            vec![
                ("no signature", Request::post("/").body("application/json", body())),
                ("a signature with another secret", signed("another", now())),
                ("a signature with no secret", signed("", now())),
                ("the signature of another body", moved),
                ("a signature of two characters", cut),
                ("a signature of an hour ago", signed(SECRET, now() - 3600)),
                ("a signature of the future", signed(SECRET, now() + 3600)),
            ],
        )
        .varying(&[
            ("/takes/body/event_id", "Ev08MFMKH6"),
            ("/takes/body/event_time", "1767323045"),
            ("/takes/body/event/text", "hello"),
            ("/sends/id", "Ev08MFMKH6"),
            ("/sends/data/text", "hello"),
        ])
}

/// An id that comes again would not be delivered again.
fn body() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let event = json!({"type": "message", "channel": "C1", "user": "U1", "text": format!("number {number}")});
    Slack::callback(&format!("Ev{number}"), &event).to_string()
}

fn signed(secret: &str, seconds: u64) -> Request {
    Slack::signed(secret, seconds, &body())
}
