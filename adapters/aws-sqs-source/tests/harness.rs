//! What the conformance kit needs to know of the SQS source.

use kit::{Failure, Harness, Reply, World};
use peers::Queue;
use serde_json::json;

/// Each message of a queue of ElasticMQ is an event.
pub fn harness() -> Harness {
    Harness::source(|running, number| queue(running)?.send(&[format!("message {number}")]))
        .environment(|world| match queue(world) {
            Ok(queue) => {
                let peer = queue.address();
                // Whatever a trial does to it, the queue works: what fails there is the sink.
                world.upstream.route(move |_| Some(Reply::relayed(peer)));
                vec![
                    ("ARN", queue.arn()),
                    ("AWS_ENDPOINT_URL", world.upstream.url("")),
                    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
                    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI".to_owned()),
                ]
            }
            Err(failure) => panic!("{failure}"),
        })
        .wrong(&[
            ("ARN", "arn:aws:s3:::orders"),
            ("SQS_MESSAGE_PROCESSOR", "sns"),
            ("SQS_VISIBILITY_TIMEOUT", "13h"),
            ("CE_SOURCE", "\u{1}"),
        ])
}

fn queue(world: &World) -> Result<std::sync::Arc<Queue>, Failure> {
    world.peer(|| Queue::standard(&json!({"VisibilityTimeout": "6"})))
}
