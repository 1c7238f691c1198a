//! What the conformance kit needs to know of kafka-source.

use kit::Harness;

/// It ticks by itself: nothing has to happen upstream.
pub fn harness() -> Harness {
    Harness::source(|_, _| Ok(()))
        .environment(|_| vec![("KAFKA_EVENT_SOURCE", "/kafka/test"), ("KAFKA_PERIOD", "200ms")])
}
