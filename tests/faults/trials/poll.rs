//! `httppoller-source` between an endpoint that gives document n+1 only for `If-None-Match: "n"`, and a sink that fails.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use kit::{Failure, Folder, PATIENCE, Process, Reply, Sink, ensure, within};

use crate::flaky::Flaky;
use crate::report::Report;

const KILLS: usize = 24;
/// Documents that come through after the last kill.
const AFTER: usize = 5;

pub fn trial(seed: u64) -> Result<(), Failure> {
    let mut random = Rng::with_seed(seed);
    let (endpoint, sink) = (documents()?, Flaky::start(random.u64(..))?);
    let folder = Folder::new()?;
    let positions = folder.path().display().to_string();
    let environment = [
        ("HTTPPOLLER_EVENT_TYPE", "com.example.document"),
        ("HTTPPOLLER_EVENT_SOURCE", "/faults"),
        ("HTTPPOLLER_ENDPOINT", &*endpoint.url("/")),
        ("HTTPPOLLER_METHOD", "GET"),
        ("HTTPPOLLER_INTERVAL", "1ms"),
        ("CHECKPOINT_DIR", &*positions),
        ("K_SINK", &*sink.sink.url("/")),
        ("K_SINK_TIMEOUT", "2"),
    ];
    let start = || Process::start("httppoller-source", &[], &environment);

    for _ in 0..KILLS {
        let process = start()?;
        // Around a request: before it, while it is out, and while its acceptance is written down.
        sink.wait_for_a_request(PATIENCE);
        if random.bool() {
            std::thread::sleep(Duration::from_millis(random.u64(..400)));
            sink.wait_for_a_request(Duration::from_secs(3));
        }
        std::thread::sleep(Duration::from_micros(random.u64(..4000)));
        // SIGKILL, and the end of the process.
        drop(process);
    }
    let mut last = start()?;
    let enough = sink.accepted().len() + AFTER;
    within(PATIENCE * 2, "documents after the last kill", || (sink.count() >= enough).then_some(()))
        .map_err(|failure| format!("{failure}\n{}", last.output()))?;
    last.stop()?;
    judge(&sink, seed)
}

/// Whoever has document n gets n+1; a document is its number.
fn documents() -> Result<Sink, Failure> {
    let endpoint = Sink::start()?;
    endpoint.route(|request| {
        let known = request.headers.get("if-none-match").map(|etag| etag.trim_matches('"').parse::<u64>());
        let next = match known {
            None => 1,
            Some(Ok(known)) => known + 1,
            Some(Err(_)) => return Some(Reply::status(400)),
        };
        Some(Reply::status(200).header("ETag", &format!("\"{next}\"")).body(next.to_string()))
    });
    Ok(endpoint)
}

fn judge(sink: &Flaky, seed: u64) -> Result<(), Failure> {
    let mut firsts = Vec::new();
    let mut ids = BTreeMap::new();
    for request in sink.requests() {
        let number = request.text().parse::<u64>().map_err(|error| format!("{error}: {request:?}"))?;
        if !firsts.contains(&number) {
            firsts.push(number);
        }
        let id = request.event()?.get("id").to_owned();
        let known = ids.entry(number).or_insert_with(|| id.clone());
        ensure(*known == id, || format!("document {number} came as {known} and as {id}"))?;
    }
    let last = firsts.iter().max().copied().unwrap_or_default();
    let missing: Vec<_> = (1..=last).filter(|number| !firsts.contains(number)).collect();
    let report = Report {
        adapter: "httppoller-source",
        fate: "killed at random",
        kills: KILLS,
        taken: firsts.len(),
        lost: missing.len(),
        duplicates: sink.accepted().len() - firsts.len(),
        for_each_kill: 1,
        unconfirmed: 0,
        seed,
    };
    report.print()?;
    ensure(missing.is_empty(), || format!("lost: {missing:?}"))?;
    ensure(firsts.is_sorted(), || format!("out of order: {firsts:?}"))
}
