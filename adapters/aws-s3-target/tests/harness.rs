//! What the conformance kit needs to know of the S3 target.

use std::sync::Arc;

use kit::{Example, Failure, Fault, Harness, Reply, World};
use peers::Versitygw;
use serde_json::json;

const BUCKET: &str = Versitygw::BUCKET;

/// The gateway of a trial, behind the scripted peer, which sees everything and can fail.
fn gateway(world: &World) -> Result<Arc<Versitygw>, Failure> {
    world.peer(|| {
        let gateway = Versitygw::start()?;
        world.upstream.stand_before(gateway.address());
        Ok(gateway)
    })
}

/// The data of an event is an object.
pub fn harness() -> Harness {
    Harness::target(vec![
        Example::json("com.example.order", &json!({ "order": 1 })),
        Example::new("com.example.note", "text/plain", "hello"),
    ])
    .environment(|world| {
        gateway(world).expect("versitygw");
        vec![
            ("ARN", format!("arn:aws:s3:::{BUCKET}")),
            ("AWS_ACCESS_KEY_ID", Versitygw::KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", Versitygw::SECRET_KEY.to_owned()),
            ("AWS_ENDPOINT_URL", world.upstream.url("")),
            ("AWS_DISCARD_CE_CONTEXT", "true".to_owned()),
        ]
    })
    .arrived(|running| {
        // An event that comes again is the same object: what was put counts, once the bucket holds it.
        let objects = gateway(running)?.objects(BUCKET)?;
        let puts = running.upstream.requests().into_iter().filter(|request| request.method == "PUT");
        Ok(puts.map(|put| put.body).filter(|body| objects.values().any(|object| object == body)).collect())
    })
    .fault(|running, fault| {
        let (status, code) = match fault {
            Fault::Permanent => (400, "EntityTooLarge"),
            Fault::Transient => (503, "SlowDown"),
        };
        let body = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
        running.upstream.always(Reply::status(status).header("Content-Type", "application/xml").body(body));
    })
    .opt_out("T9", "any data can be an object")
    .wrong(&[
        ("ARN", "arn:aws:s3:::orders/path"),
        ("ARN", "arn:aws:sqs:us-west-2:123456789012:orders"),
        ("AWS_ROLE_SESSION_NAME", "a"),
        ("AWS_S3_TIMEOUT", "0s"),
    ])
}
