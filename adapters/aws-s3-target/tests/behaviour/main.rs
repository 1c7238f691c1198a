//! What callers see of the S3 target and what reaches the bucket: the real binary before real servers.

mod credentials;
mod failures;
mod objects;
mod region;

use std::net::SocketAddr;

use kit::{Example, Failure, Process, Response, Sink, http::Request};
use peers::{Moto, Versitygw};

type Outcome = Result<(), Failure>;

/// The target of a bucket.
struct Target {
    process: Process,
    address: SocketAddr,
}

impl Target {
    /// One that stores data alone in the bucket `orders`, with these settings.
    fn launch(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let mut environment = vec![
            ("ARN", "arn:aws:s3:::orders"),
            ("AWS_DISCARD_CE_CONTEXT", "true"),
            ("RETRY_AFTER_MAX", "60s"),
        ];
        environment.extend(settings);
        let environment: Vec<_> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut process = Process::start("aws-s3-target", &[], &environment)?;
        let address = process.address()?;
        Ok(Self { process, address })
    }

    /// The same, and it is ready.
    fn start(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let mut target = Self::launch(settings)?;
        target.process.wait_for_status("/readyz", 200)?;
        Ok(target)
    }

    fn send(&self, request: &Request) -> Result<Response, Failure> {
        request.send(self.address).map_err(|error| error.to_string())
    }
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
