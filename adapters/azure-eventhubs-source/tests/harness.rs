//! What the conformance kit needs to know of azure-eventhubs-source.

use kit::Harness;

/// It ticks by itself: nothing has to happen upstream.
pub fn harness() -> Harness {
    Harness::source(|_, _| Ok(()))
        .environment(|_| vec![("AZURE_EVENTHUBS_EVENT_SOURCE", "/azure-eventhubs/test"), ("AZURE_EVENTHUBS_PERIOD", "200ms")])
}
