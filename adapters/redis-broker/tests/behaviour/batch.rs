//! A batch of events is in the stream as a whole or not at all.

use kit::{Example, Request, Sink, eventually};
use peers::Redis;
use serde_json::{Value, json};

use crate::{Outcome, expect, numbered, settled, start, wait_for_ids};

const STREAM: &str = "batches";

/// A request with so many events.
fn batch(numbers: std::ops::Range<u64>) -> Request {
    let events: Vec<_> =
        numbers.map(|number| Example::json("a", &json!({"number": number})).to_json(number)).collect();
    Request::post("/").body("application/cloudevents-batch+json", Value::from(events).to_string())
}

/// The ids of the events in the stream, in its order.
fn written(redis: &Redis) -> Result<Vec<String>, kit::Failure> {
    let entries = redis.ask(&["XRANGE", STREAM, "-", "+"])?;
    let entries = entries.as_array().ok_or("no entries")?;
    let event = |entry: &Value| serde_json::from_str::<Value>(entry[1][1].as_str()?).ok();
    Ok(entries.iter().filter_map(|entry| Some(event(entry)?["id"].as_str()?.to_owned())).collect())
}

#[test]
fn all_of_a_batch_or_none() -> Outcome {
    let (sink, redis) = (Sink::start()?, Redis::start()?);
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}}});
    let broker = start(&redis, "me", triggers, &[("REDIS_STREAM", STREAM)])?;
    let counted = || broker.process.figure("broker_log_round_trips").ok();
    let trips = || eventually("round trips to be counted", counted);
    let before = trips()?;
    let answer = broker.send(&batch(0..300))?;
    answer.expect(200)?;
    expect(written(&redis)?, numbered(0..300), "as they stood in the batch")?;
    kit::ensure(trips()? - before < 100, || "one trip for many events".to_owned())?;
    wait_for_ids(&sink, "/in", 300)?;

    // It has no memory left, and then has some again.
    redis.ask(&["CONFIG", "SET", "maxmemory", "1"])?;
    let refused = broker.send(&batch(300..310))?;
    refused.expect(503)?;
    expect(written(&redis)?.len(), 300, "nothing of it")?;
    redis.ask(&["CONFIG", "SET", "maxmemory", "0"])?;
    let answer = broker.send(&batch(300..310))?;
    answer.expect(200)?;
    expect(written(&redis)?, numbered(0..310), "each once")?;

    // Where another kind of value stands there, the server says so of each.
    redis.ask(&["RENAME", STREAM, "elsewhere"])?;
    redis.ask(&["SET", STREAM, "text"])?;
    expect(broker.send(&batch(310..320))?.status, 503, "no stream")?;
    redis.ask(&["DEL", STREAM])?;
    redis.ask(&["RENAME", "elsewhere", STREAM])?;
    expect(written(&redis)?.len(), 310, "nothing of it")?;
    expect(broker.send(&batch(310..320))?.status, 200, "again")?;
    wait_for_ids(&sink, "/in", 320)?;
    settled(&redis, STREAM, "default.t")
}

#[test]
fn a_user_who_may_not_use_transactions_writes_one_by_one() -> Outcome {
    let (sink, redis) = (Sink::start()?, Redis::start()?);
    redis.ask(&["ACL", "SETUSER", "plain", "on", ">secret", "~*", "+@stream", "+@connection"])?;
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}}});
    let settings = [("REDIS_STREAM", STREAM), ("REDIS_USERNAME", "plain"), ("REDIS_PASSWORD", "secret")];
    let broker = start(&redis, "me", triggers, &settings)?;
    let answer = broker.send(&batch(0..20))?;
    answer.expect(200)?;
    expect(written(&redis)?, numbered(0..20), "all of them")?;
    wait_for_ids(&sink, "/in", 20).map(drop)
}
