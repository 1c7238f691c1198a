//! What the conformance kit needs to know of the Pub/Sub source.

use std::sync::Arc;

use kit::{Failure, Harness, World};
use peers::Pstest;
use serde_json::json;

/// The server of a trial, with its subscription.
fn pubsub(world: &World) -> Result<Arc<Pstest>, Failure> {
    world.peer(Pstest::with_subscription)
}

/// Something is published, and comes out.
pub fn harness() -> Harness {
    Harness::source(|running, number| {
        let data = format!("{{\"number\":{number}}}");
        pubsub(running)?.publish(data.as_bytes(), &json!({ "My-Attr": "x" }), "").map(drop)
    })
    .environment(|world| {
        let emulator = pubsub(world).expect("pstest").emulator();
        vec![
            ("GCLOUD_PUBSUB_SUBSCRIPTION", Pstest::SUBSCRIPTION.to_owned()),
            ("PUBSUB_EMULATOR_HOST", emulator),
            ("GCLOUD_PUBSUB_ACK_DEADLINE", "10s".to_owned()),
        ]
    })
    .wrong(&[
        ("GCLOUD_PUBSUB_SUBSCRIPTION", "my-subscription"),
        ("GCLOUD_PUBSUB_MESSAGE_PROCESSOR", "s3"),
        ("GCLOUD_PUBSUB_ACK_DEADLINE", "5s"),
        ("GCLOUD_PUBSUB_ENDPOINT", "https://h/path"),
        ("GCLOUD_SERVICEACCOUNT_KEY", "{}"),
    ])
}
