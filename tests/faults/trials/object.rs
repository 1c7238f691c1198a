//! The S3 target between callers that send an event again until it is answered 2xx, and a real gateway behind a network that
//! fails: requests that never come there, answers that never come back. Four events each have one instant, and so one name.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use kit::http::exchange;
use kit::{Captured, Example, Failure, PATIENCE, Reply, Request, Sink, ensure};
use peers::Versitygw;

use crate::flaky::lock;
use crate::report::Report;
use crate::target::{KILLS, taken};

const ADAPTER: &str = "aws-s3-target";
/// Of so many requests that came there one is not answered.
const MUTE: u32 = 20;
/// One in so many failures is a hang until the other side gives up.
const HANGS: u32 = 12;

pub fn trial(seed: u64) -> Result<(), Failure> {
    let mut random = Rng::with_seed(seed);
    let (gateway, sink) = (Versitygw::start()?, Sink::start()?);
    let (to, from, dice) = (gateway.address(), sink.address(), Mutex::new(random.fork()));
    let unconfirmed = Arc::new(AtomicUsize::new(0));
    let lost_words = Arc::clone(&unconfirmed);
    sink.route(move |request| {
        let (fails, hangs, mute) = {
            let mut dice = lock(&dice);
            (dice.u32(..3) == 0, dice.u32(..HANGS) == 0, dice.u32(..MUTE) == 0)
        };
        Some(match (fails, hangs, mute) {
            (true, true, _) => Reply::hang(),
            (true, false, _) => Reply::status(503),
            (false, _, false) => Reply::relayed(to),
            (false, _, true) => {
                if pass_on(request, from, to).is_some() {
                    lost_words.fetch_add(1, Ordering::SeqCst);
                }
                Reply::close()
            }
        })
    });
    let environment = [
        ("ARN", format!("arn:aws:s3:::{}", Versitygw::BUCKET)),
        ("AWS_ACCESS_KEY_ID", Versitygw::KEY_ID.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", Versitygw::SECRET_KEY.to_owned()),
        ("AWS_ENDPOINT_URL", sink.url("")),
        ("AWS_S3_TIMEOUT", "1s".to_owned()),
        ("AWS_DISCARD_CE_CONTEXT", "true".to_owned()),
    ];
    let taken = taken(ADAPTER, &environment, request, || wait_for_a_request(&sink), &mut random)?;
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
    let unconfirmed = unconfirmed.load(Ordering::SeqCst);
    ensure(unconfirmed > 0, || "every answer came back".to_owned())
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

/// Lets the gateway do it; `None` when it did not.
fn pass_on(request: &Captured, from: SocketAddr, to: SocketAddr) -> Option<()> {
    const OWN: [&str; 4] = ["host", "connection", "content-length", "transfer-encoding"];
    let mut passed = Request::new(&request.method, &request.path);
    let fields =
        request.headers.0.iter().filter(|(name, _)| !OWN.contains(&name.to_ascii_lowercase().as_str()));
    passed.headers.extend(fields.map(|(name, value)| (name.to_string(), value.to_string())));
    passed.body.clone_from(&request.body);
    // The signature is for the address that the target knows.
    let (answer, _) = exchange(to, Cursor::new(passed.to_bytes(from))).ok()?;
    answer.is_success().then_some(())
}

fn wait_for_a_request(sink: &Sink) {
    let (before, begun) = (sink.count(), Instant::now());
    while sink.count() == before && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(1));
    }
}
