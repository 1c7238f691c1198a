//! What the conformance kit needs to know of the Event Hubs source.

use std::sync::Arc;

use kit::{Failure, Harness, World};
use peers::{EventHubs, eventhubs::Published};

/// The double of a trial.
fn hub(world: &World) -> Result<Arc<EventHubs>, Failure> {
    world.peer(|| EventHubs::start(2))
}

/// Events come by turns in two partitions.
pub fn harness() -> Harness {
    Harness::source(|running, number| {
        hub(running)?.publish(number as usize % 2, Published::body(format!("{{\"number\": {number}}}")));
        Ok(())
    })
    .environment(|world| {
        vec![
            ("EVENTHUB_RESOURCE_ID", EventHubs::resource_id()),
            ("EVENTHUB_CONNECTION_STRING", EventHubs::connection_string(false)),
            ("EVENTHUB_ENDPOINT", hub(world).expect("a double of Event Hubs").endpoint()),
            ("EVENTHUB_START_POSITION", "earliest".to_owned()),
            ("CHECKPOINT_DIR", world.folder().join("positions").to_string_lossy().into_owned()),
        ]
    })
    .wrong(&[
        ("EVENTHUB_RESOURCE_ID", "events"),
        ("EVENTHUB_CONNECTION_STRING", "Endpoint=sb://h/"),
        ("EVENTHUB_ENDPOINT", "http://127.0.0.1"),
        ("EVENTHUB_START_POSITION", "yesterday"),
        ("EVENTHUB_MESSAGE_TIMEOUT", "20s"),
        ("EVENTHUB_MESSAGE_PROCESSOR", "other"),
        ("CHECKPOINT_URL", "ftp://somewhere"),
        ("AZURE_AUTHORITY_HOST", "http://login"),
    ])
}
