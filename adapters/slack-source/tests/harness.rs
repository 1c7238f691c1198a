//! What the conformance kit needs to know of the Slack source.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use kit::{Harness, Request};
use serde_json::json;
use sha2::Sha256;

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

/// What happened in the workspace is an event, each time another.
pub fn harness() -> Harness {
    let (mut moved, mut cut) = (signed(SECRET, now()), signed(SECRET, now()));
    moved.body = body().into();
    for (name, value) in &mut cut.headers {
        if name == "X-Slack-Signature" {
            value.truncate(2);
        }
    }
    Harness::webhook(|_| request()).credentials(
        "a signature",
        &[("SLACK_SIGNING_SECRET", SECRET)],
        |_| signed(SECRET, now()),
        vec![
            ("no signature", request()),
            ("a signature with another secret", signed("another", now())),
            ("a signature with no secret", signed("", now())),
            ("the signature of another body", moved),
            ("a signature of two characters", cut),
            ("a signature of an hour ago", signed(SECRET, now() - 3600)),
            ("a signature of the future", signed(SECRET, now() + 3600)),
        ],
    )
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// An id that comes again would not be delivered again.
fn body() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let event = json!({"type": "message", "channel": "C1", "user": "U1", "text": format!("number {number}")});
    let body = json!({
        "type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": format!("Ev{number}"),
        "event_time": now(), "event": event,
    });
    body.to_string()
}

fn request() -> Request {
    Request::post("/").body("application/json", body())
}

/// Signed as the documentation says.
fn signed(secret: &str, seconds: u64) -> Request {
    let body = body();
    let mut signature = "v0=".to_owned();
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        mac.update(format!("v0:{seconds}:{body}").as_bytes());
        for byte in mac.finalize().into_bytes() {
            let _ = write!(signature, "{byte:02x}");
        }
    }
    Request::post("/")
        .body("application/json", body)
        .header("X-Slack-Request-Timestamp", &seconds.to_string())
        .header("X-Slack-Signature", &signature)
}
