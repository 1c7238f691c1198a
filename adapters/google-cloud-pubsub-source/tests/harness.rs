//! What the conformance kit needs to know of google-cloud-pubsub-source.

use kit::Harness;

/// It ticks by itself: nothing has to happen upstream.
pub fn harness() -> Harness {
    Harness::source(|_, _| Ok(()))
        .environment(|_| vec![("GOOGLE_CLOUD_PUBSUB_EVENT_SOURCE", "/google-cloud-pubsub/test"), ("GOOGLE_CLOUD_PUBSUB_PERIOD", "200ms")])
}
