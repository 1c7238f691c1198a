//! What callers see of the S3 target and what reaches the bucket: the real binary before real servers.

mod credentials;
mod failures;
mod objects;
mod region;

use kit::{Adapter, Example, Failure, Request, Sink};
use peers::{Moto, Versitygw};

type Outcome = Result<(), Failure>;

/// Stores data alone in the bucket `orders`.
const BASE: [(&str, &str); 3] =
    [("ARN", "arn:aws:s3:::orders"), ("AWS_DISCARD_CE_CONTEXT", "true"), ("RETRY_AFTER_MAX", "60s")];

/// One that listens.
fn launch(settings: &[(&str, &str)]) -> Result<Adapter, Failure> {
    Adapter::listening("aws-s3-target", &[&BASE, settings].concat())
}

/// One that is ready.
fn start(settings: &[(&str, &str)]) -> Result<Adapter, Failure> {
    Adapter::ready("aws-s3-target", &[&BASE, settings].concat())
}

/// An event of type `com.example.order` and this subject.
fn order(number: u64, subject: &str) -> Request {
    Example::new("com.example.order", "text/plain", format!("order {number}"))
        .binary(number)
        .header("ce-subject", subject)
}

/// A gateway with a bucket `orders`.
fn gateway() -> Result<Versitygw, Failure> {
    let gateway = Versitygw::start()?;
    gateway.create_bucket("orders")?;
    Ok(gateway)
}

/// The credentials that the gateway knows.
const KEYS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", Versitygw::KEY_ID), ("AWS_SECRET_ACCESS_KEY", Versitygw::SECRET_KEY)];

/// moto with a bucket `orders` in Ireland, and a peer before it that sees what passes.
fn moto() -> Result<(Moto, Sink), Failure> {
    let (moto, sink) = (Moto::start()?, Sink::start()?);
    moto.create_bucket("orders", "eu-west-1")?;
    sink.stand_before(moto.address());
    Ok((moto, sink))
}
