//! The S3 target between callers that send an event again until it is answered 2xx, and a real gateway behind a network that
//! fails: requests that never come there, answers that never come back. Four events each have one instant, and so one name.

use std::collections::BTreeMap;

use fastrand::Rng;
use kit::{Example, Failure, Request, ensure};
use peers::Versitygw;

use crate::front::Front;
use crate::report::Report;
use crate::target::{KILLS, taken};

const ADAPTER: &str = "aws-s3-target";

pub fn trial(seed: u64) -> Result<(), Failure> {
    let mut random = Rng::with_seed(seed);
    let gateway = Versitygw::start()?;
    let front = Front::before(gateway.address(), random.fork(), |_| 1)?;
    let environment = [
        ("ARN", format!("arn:aws:s3:::{}", Versitygw::BUCKET)),
        ("AWS_ACCESS_KEY_ID", Versitygw::KEY_ID.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", Versitygw::SECRET_KEY.to_owned()),
        ("AWS_ENDPOINT_URL", front.sink.url("")),
        ("AWS_S3_TIMEOUT", "1s".to_owned()),
        ("AWS_DISCARD_CE_CONTEXT", "true".to_owned()),
    ];
    let taken = taken(ADAPTER, &environment, request, || front.wait_for_a_request(), &mut random)?;
    let mut counts = BTreeMap::<Vec<u8>, usize>::new();
    for body in gateway.objects(Versitygw::BUCKET)?.into_values() {
        *counts.entry(body).or_default() += 1;
    }
    let lost: Vec<_> = taken.iter().filter(|number| !counts.contains_key(&body(**number))).collect();
    let report = Report {
        adapter: ADAPTER,
        fate: "killed at random",
        kills: KILLS,
        taken: taken.len(),
        lost: lost.len(),
        duplicates: counts.values().map(|count| count - 1).sum(),
        // The same event is the same object.
        for_each_kill: 0,
        unconfirmed: 0,
        seed,
    };
    report.print()?;
    ensure(lost.is_empty(), || format!("lost: {lost:?}"))?;
    ensure(front.unconfirmed() > 0, || "every answer came back".to_owned())
}

fn request(number: usize) -> Request {
    let time =
        format!("2024-01-02T{:02}:{:02}:{:02}Z", number / 14_400 % 24, number / 240 % 60, number / 4 % 60);
    Example::new("com.example.event", "text/plain", body(number))
        .binary(number as u64)
        .header("ce-time", &time)
}

fn body(number: usize) -> Vec<u8> {
    number.to_string().into_bytes()
}
