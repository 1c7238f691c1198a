//! What the conformance kit needs to know of the Pub/Sub target.

use std::sync::Arc;

use kit::{Example, Failure, Fault, Harness, World};
use peers::Pstest;
use serde_json::json;

/// The server of a trial, with its topic.
fn pubsub(world: &World) -> Result<Arc<Pstest>, Failure> {
    world.peer(|| {
        let peer = Pstest::start()?;
        peer.topic(Pstest::TOPIC)?;
        Ok(peer)
    })
}

/// The data of an event is a message; one without data could be none.
pub fn harness() -> Harness {
    Harness::target(vec![
        Example::json("com.example.order", &json!({ "order": 1 })),
        Example::new("com.example.note", "text/plain", "hello"),
    ])
    .environment(|world| {
        let emulator = pubsub(world).expect("pstest").emulator();
        vec![
            ("GCLOUD_PUBSUB_TOPIC", Pstest::TOPIC.to_owned()),
            ("PUBSUB_EMULATOR_HOST", emulator),
            ("DISCARD_CE_CONTEXT", "true".to_owned()),
        ]
    })
    .arrived(|running| Ok(pubsub(running)?.messages()?.into_iter().map(|message| message.data).collect()))
    .fault(|running, fault| {
        let code = if fault == Fault::Permanent { "INVALID_ARGUMENT" } else { "UNAVAILABLE" };
        pubsub(running).and_then(|peer| peer.fail("Publish", code, -1)).expect("pstest");
    })
    .malformed(Example::new("com.example.empty", "text/plain", ""))
    .wrong(&[
        ("GCLOUD_PUBSUB_TOPIC", "my-topic"),
        ("GCLOUD_PUBSUB_ORDERING_KEY", "Partition-Key"),
        ("GCLOUD_SERVICEACCOUNT_KEY", "{}"),
        ("PUBSUB_EMULATOR_HOST", "localhost"),
        ("GCE_METADATA_HOST", "http://metadata/"),
    ])
}
