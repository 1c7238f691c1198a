//! What the conformance kit needs to know of the HTTP target.

use kit::{Example, Harness};
use serde_json::json;

/// The data of each event is the body of a request, or says what to send.
pub fn harness() -> Harness {
    Harness::target(vec![
        Example::json("com.example.order", &json!({ "order": 1 })),
        Example::new("com.example.note", "text/plain", "hello"),
    ])
    .environment(|world| {
        vec![
            ("HTTP_EVENT_TYPE", "com.example.answer".to_owned()),
            ("HTTP_EVENT_SOURCE", "/conformance".to_owned()),
            ("HTTP_URL", world.upstream.url("/")),
            ("HTTP_METHOD", "POST".to_owned()),
            ("HTTP_TIMEOUT", "10s".to_owned()),
        ]
    })
    .malformed(Example::json("io.triggermesh.http.request", &json!({ "path_suffix": "../outside" })))
    .wrong(&[("HTTP_METHOD", "FETCH"), ("HTTP_OAUTH_SCOPE", "alone"), ("HTTP_HEADERS", "nothing")])
}
