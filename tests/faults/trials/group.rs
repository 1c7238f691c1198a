//! An aggregator behind a splitter and a broker whose events outlive it: killed at random while the sink fails, every order that
//! was split arrives whole, and no item stays behind.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use kit::{Adapter, Example, Failure, Folder, PATIENCE, Reply, Request, ensure, within};
use peers::Redis;
use serde_json::{Value, json};

use crate::flaky::{Flaky, Manner};
use crate::report::Report;
use crate::target::{Callers, KILLS};

const STREAM: &str = "faults";
/// Orders that are split, at least.
const ORDERS: usize = 1_300;
/// Items of an order.
const ITEMS: usize = 4;
/// Items that are on their way to the aggregator at once.
const CONCURRENCY: usize = 128;
/// Of so many aggregates that the sink has accepted one is not answered.
const MUTE: u32 = 50;

pub fn trial(seed: u64) -> Result<(), Failure> {
    let mut random = Rng::with_seed(seed);
    let manner = Manner { yes: Reply::status(202), no: vec![Reply::status(503)], mute: Some(MUTE) };
    let sink = Flaky::start_as(random.u64(..), manner)?;
    let port = peers::free_port()?.to_string();
    let folder = Folder::new()?;
    let remembered = folder.path().join("delivered").display().to_string();
    let aggregator = || {
        let settings = [
            ("PORT", &*port),
            ("K_SINK", &*sink.sink.url("/")),
            ("K_SINK_TIMEOUT", "1"),
            ("AGGREGATOR_TIMEOUT", "2s"),
            ("AGGREGATOR_REMEMBERED_FILE", &*remembered),
            ("AGGREGATOR_CE_TYPE", "com.example.order.whole"),
            ("AGGREGATOR_CE_SOURCE", "/faults"),
        ];
        Adapter::listening("aggregator", &settings)
    };
    let first = aggregator()?;
    let redis = Redis::start_kept()?;
    let broker = broker(&redis, &first.url("/"))?;
    let mut process = Some(first);
    let splitter = splitter(&broker.url("/"))?;
    let callers = Callers::new(order, splitter.address);
    for kill in 1..=KILLS {
        // These are on their way when it is killed.
        callers.during(|| callers.wait_for(kill * ORDERS / KILLS))?;
        sink.wait_for_a_request(Duration::from_secs(1));
        thread::sleep(Duration::from_micros(random.u64(..20_000)));
        // SIGKILL, and the end of the process, before the next one listens there.
        drop(process.take());
        process = Some(aggregator()?);
    }
    let taken = callers.into_taken();
    let all = within(PATIENCE * 2, "every order at the sink", || {
        let whole = whole(&sink).ok()?;
        taken.iter().all(|number| whole.contains_key(number)).then_some(())
    });
    // None waits for others that were acknowledged.
    let settled =
        within(PATIENCE, "nothing pending", || left(&redis).is_ok_and(|left| left == 0).then_some(()));
    let whole = whole(&sink)?;
    let lost: Vec<_> = taken.iter().filter(|number| !whole.contains_key(number)).collect();
    let report = Report {
        adapter: "aggregator",
        fate: "killed at random",
        kills: KILLS,
        taken: taken.len(),
        lost: lost.len(),
        duplicates: whole.values().map(|count| count - 1).sum(),
        // The sink has them, and nobody has been told.
        for_each_kill: CONCURRENCY / ITEMS,
        unconfirmed: sink.unconfirmed(),
        seed,
    };
    report.print()?;
    let output = || process.map(|aggregator| aggregator.process.output()).unwrap_or_default();
    ensure(lost.is_empty(), || format!("lost: {lost:?}\n{}", output()))?;
    all?;
    settled.map_err(|why| format!("{why}: {:?} are left", left(&redis)))
}

/// How many items the broker has not done with.
fn left(redis: &Redis) -> Result<u64, Failure> {
    let groups = redis.ask(&["XINFO", "GROUPS", STREAM])?;
    let number = |name: &str| groups[0][name].as_u64().ok_or_else(|| format!("no {name} in {groups}"));
    Ok(number("lag")? + number("pending")?)
}

fn broker(redis: &Redis, target: &str) -> Result<Adapter, Failure> {
    let document = json!({"triggers": {"items": {"target": {"url": target}, "deliveryOptions": {
        "retry": 100_000, "backoffPolicy": "constant", "backoffDelay": "20ms", "timeout": "5s", "concurrency": CONCURRENCY,
    }}}});
    let settings = [
        ("REDIS_ADDRESS", &*redis.address().to_string()),
        ("REDIS_PASSWORD", Redis::PASSWORD),
        ("REDIS_STREAM", STREAM),
        ("BROKER_CONFIG", &*document.to_string()),
        ("BROKER_RETRY_AFTER_MAX", "20ms"),
        ("DRAIN_SECONDS", "0"),
    ];
    Adapter::ready("redis-broker", &settings)
}

fn splitter(sink: &str) -> Result<Adapter, Failure> {
    let settings = [
        ("K_SINK", sink),
        ("SPLITTER_PATH", "items"),
        ("SPLITTER_CE_TYPE", "com.example.item"),
        ("SPLITTER_CE_SOURCE", "/faults/items"),
        ("SPLITTER_NUMBER_PARTS", "true"),
        ("SPLITTER_BATCH", "true"),
    ];
    Adapter::ready("splitter", &settings)
}

fn items(order: usize) -> Vec<Value> {
    (0..ITEMS).map(|item| json!([order, item])).collect()
}

fn order(number: usize) -> Request {
    Example::json("com.example.order", &json!({ "items": items(number) })).binary(number as u64)
}

/// How often each order has arrived, whole and in its order; always as the same event.
fn whole(sink: &Flaky) -> Result<BTreeMap<usize, usize>, Failure> {
    let (mut counts, mut ids) = (BTreeMap::new(), BTreeMap::new());
    for request in sink.requests() {
        let event = request.event()?;
        let number = event.json()[0][0].as_u64().and_then(|number| usize::try_from(number).ok());
        let number = number.ok_or_else(|| format!("{event:?}"))?;
        ensure(event.json() == json!(items(number)), || format!("not whole: {event:?}"))?;
        let id = ids.entry(number).or_insert_with(|| event.get("id").to_owned());
        ensure(id == event.get("id"), || format!("order {number} has two ids: {event:?}"))?;
        *counts.entry(number).or_default() += 1;
    }
    Ok(counts)
}
