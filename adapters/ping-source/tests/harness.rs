//! What the conformance kit needs to know of ping-source.

use kit::Harness;

/// It ticks by itself, each second.
pub fn harness() -> Harness {
    Harness::source(|_, _| Ok(()))
        .environment(|_| {
            vec![
                ("PING_SCHEDULE", "* * * * * *"),
                ("PING_CONTENT_TYPE", "application/json"),
                ("PING_DATA", r#"{"text": "hello"}"#),
            ]
        })
        .wrong(&[
            ("PING_SCHEDULE", "0 0 30 2 *"),
            ("PING_TIMEZONE", "Europe/Atlantis"),
            ("PING_DATA", "{"),
            ("PING_DATA_BASE64", "?"),
        ])
}
