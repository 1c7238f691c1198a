//! What the conformance kit needs to know of the HTTP poller.

use kit::{Harness, Reply};

/// It polls by itself; an endpoint without validators has something new each time.
pub fn harness() -> Harness {
    Harness::source(|_, _| Ok(()))
        .environment(|world| {
            // Sound whatever the sink does: nothing comes from an endpoint that fails, as the adapter's own tests show.
            world.upstream.route(|_| Some(Reply::status(200).body("{}")));
            vec![
                ("HTTPPOLLER_EVENT_TYPE", "com.example.answer".to_owned()),
                ("HTTPPOLLER_EVENT_SOURCE", "/conformance".to_owned()),
                ("HTTPPOLLER_ENDPOINT", world.upstream.url("/news?key=1")),
                ("HTTPPOLLER_METHOD", "GET".to_owned()),
                ("HTTPPOLLER_INTERVAL", "200ms".to_owned()),
                ("CHECKPOINT_DIR", world.folder().join("positions").to_string_lossy().into_owned()),
            ]
        })
        .wrong(&[
            ("HTTPPOLLER_INTERVAL", "0s"),
            ("HTTPPOLLER_METHOD", "FETCH"),
            ("HTTPPOLLER_HEADERS", "nothing"),
            ("HTTPPOLLER_TIMEOUT", "0s"),
        ])
}
