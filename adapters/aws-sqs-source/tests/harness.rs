//! What the conformance kit needs to know of the SQS source.

use kit::{Failure, Harness, Reply, World};
use peers::Queue;
use serde_json::json;

/// What stands in the README for the queue of a trial.
const ARN: &str = "arn:aws:sqs:us-west-2:123456789012:orders";

/// Each message of a queue of ElasticMQ is an event.
pub fn harness() -> Harness {
    Harness::source(|running, number| queue(running)?.send(&[format!("message {number}")]))
        .environment(|world| match queue(world) {
            Ok(queue) => {
                let peer = queue.address();
                // Whatever a trial does to it, the queue works: what fails there is the sink.
                world.upstream.route(move |_| Some(Reply::relayed(peer)));
                queue.settings(world.upstream.url(""))
            }
            Err(failure) => panic!("{failure}"),
        })
        .wrong(&[
            ("ARN", "arn:aws:s3:::orders"),
            ("SQS_MESSAGE_PROCESSOR", "sns"),
            ("SQS_VISIBILITY_TIMEOUT", "13h"),
            ("CE_SOURCE", "\u{1}"),
        ])
        .varying(&[
            ("/settings/ARN", ARN),
            ("/sends/source", ARN),
            ("/sends/data/Attributes/SentTimestamp", "1767323045000"),
            ("/sends/data/Attributes/ApproximateFirstReceiveTimestamp", "1767323045000"),
        ])
}

fn queue(world: &World) -> Result<std::sync::Arc<Queue>, Failure> {
    world.peer(|| Queue::standard(&json!({"VisibilityTimeout": "6"})))
}
