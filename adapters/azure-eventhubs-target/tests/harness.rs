//! What the conformance kit needs to know of the Event Hubs target.

use std::sync::Arc;

use kit::{Example, Failure, Fault, Harness, World};
use peers::{EventHubs, eventhubs::Answer};
use serde_json::json;

/// The double of a trial.
fn hub(world: &World) -> Result<Arc<EventHubs>, Failure> {
    world.peer(|| EventHubs::start(2))
}

/// The data of an event is a message.
pub fn harness() -> Harness {
    Harness::target(vec![
        Example::json("com.example.order", &json!({ "order": 1 })),
        Example::new("com.example.note", "text/plain", "hello"),
    ])
    .environment(|world| {
        vec![
            ("EVENTHUB_RESOURCE_ID", EventHubs::resource_id()),
            ("EVENTHUB_CONNECTION_STRING", EventHubs::connection_string(false)),
            ("DISCARD_CE_CONTEXT", "true".to_owned()),
            ("EVENTHUB_ENDPOINT", hub(world).expect("a double of Event Hubs").endpoint()),
        ]
    })
    .arrived(|running| Ok(hub(running)?.events().iter().map(|event| event.body()).collect()))
    .fault(|running, fault| {
        let condition = match fault {
            Fault::Permanent => "com.microsoft:argument-error",
            Fault::Transient => "com.microsoft:server-busy",
        };
        hub(running).expect("a double of Event Hubs").answers(move |_| Answer::Reject(condition));
    })
    .opt_out("T9", "an event hub takes any data")
    .wrong(&[
        ("EVENTHUB_RESOURCE_ID", "events"),
        ("EVENTHUB_CONNECTION_STRING", "Endpoint=sb://h/"),
        ("EVENTHUB_ENDPOINT", "http://127.0.0.1"),
        ("EVENTHUB_PARTITION_KEY_ATTRIBUTE", "Partition-Key"),
        ("AZURE_AUTHORITY_HOST", "http://login"),
    ])
}
