//! What the conformance kit needs to know of webhook-source.

use kit::{Harness, http::Request};

const USER: &str = "user";
const PASSWORD: &str = "p4ss-w0rd:with-colon";
/// `user:p4ss-w0rd:with-colon`.
const GENUINE: &str = "Basic dXNlcjpwNHNzLXcwcmQ6d2l0aC1jb2xvbg==";
/// `user:wrong`.
const WRONG: &str = "Basic dXNlcjp3cm9uZw==";

const KEY: &str = "It's a Secret to Everybody";
/// The body and the HMAC-SHA256 of it that GitHub's documentation gives as its example.
const SIGNED: &[u8] = b"Hello, World!";
const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

/// Any request is an event.
pub fn harness() -> Harness {
    Harness::webhook(request)
        .environment(|_| vec![("WEBHOOK_EVENT_TYPE", "com.example.test"), ("WEBHOOK_EVENT_SOURCE", "demo.sample")])
        .credentials(
            "basic authentication",
            &[("WEBHOOK_BASICAUTH_USERNAME", USER), ("WEBHOOK_BASICAUTH_PASSWORD", PASSWORD)],
            |n| request(n).header("Authorization", GENUINE),
            vec![
                ("no credentials", request(1)),
                ("a wrong password", request(1).header("Authorization", WRONG)),
                ("another scheme", request(1).header("Authorization", &GENUINE.replace("Basic", "Bearer"))),
                ("no base64", request(1).header("Authorization", "Basic ????")),
            ],
        )
        .credentials(
            "a signature",
            &[("WEBHOOK_SIGNATURE_SECRET", KEY)],
            |_| signed(SIGNATURE),
            vec![
                ("no signature", request(1)),
                ("a signature of another body", request(1).header("X-Hub-Signature-256", SIGNATURE)),
                ("a short signature", signed("sha256=757107ea")),
                ("an empty signature", signed("")),
            ],
        )
        .wrong(&[
            ("WEBHOOK_EVENT_EXTENSION_ATTRIBUTES_FROM", "method,body"),
            ("WEBHOOK_SIGNATURE_HEADER", "no header"),
        ])
}

fn request(n: u64) -> Request {
    Request::post("/").body("application/json", format!(r#"{{"n":{n}}}"#))
}

fn signed(signature: &str) -> Request {
    Request::post("/").body("text/plain", SIGNED).header("X-Hub-Signature-256", signature)
}
