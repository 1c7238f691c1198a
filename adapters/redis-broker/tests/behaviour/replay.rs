//! Bounds: from where, and to where.

use kit::Sink;
use peers::Redis;
use serde_json::json;

use crate::{Outcome, expect, expect_in_any_order, group, ids, numbered, settled, start, wait_for_ids};

/// The ids of the entries of a stream.
fn entries(redis: &Redis, stream: &str) -> Result<Vec<String>, kit::Failure> {
    let found = redis.ask(&["XRANGE", stream, "-", "+"])?;
    let ids = found.as_array().into_iter().flatten().filter_map(|entry| entry[0].as_str());
    Ok(ids.map(str::to_owned).collect())
}

#[test]
fn a_new_trigger_can_begin_in_the_past_and_end() -> Outcome {
    let (sink, redis) = (Sink::start()?, Redis::shared()?);
    let stream = [("REDIS_STREAM", "replayed")];
    let old = json!({"old": {"target": {"url": sink.url("/old")}}});
    let mut broker = start(&redis, "me", old.clone(), &stream)?;
    for number in 0..10 {
        broker.accept("a", number)?;
    }
    wait_for_ids(&sink, "/old", 10)?;
    let known = entries(&redis, "replayed")?;
    let time = |id: &str| id.split('-').next().and_then(|time| time.parse::<i64>().ok()).unwrap_or_default();
    let mut triggers = old;
    for (name, bounds) in [
        ("new", json!({"byId": {}})),
        ("all", json!({"byId": {"start": "0"}})),
        ("part", json!({"byId": {"start": known[2], "end": known[7]}})),
        ("past", json!({"byDate": {"start": "2001-01-01T00:00:00Z", "end": "2001-01-01T00:00:01Z"}})),
        ("future", json!({"byDate": {"start": "2001-01-01T00:00:00Z", "end": "2999-01-01T00:00:00Z"}})),
    ] {
        triggers[name] = json!({"target": {"url": sink.url(&format!("/{name}"))}, "bounds": bounds});
    }
    expect(time(&known[0]) > 0, true, "ids are times")?;
    broker.reload(&triggers)?;
    for (path, numbers) in [("/all", 0..10), ("/part", 3..7), ("/future", 0..10)] {
        let found = wait_for_ids(&sink, path, numbers.clone().count())?;
        expect_in_any_order(found, numbered(numbers), path)?;
    }
    broker.process.wait_for_line("the end of the bounds is reached: nothing more is read")?;
    kit::eventually("the group of the trigger that begins now", || {
        group(&redis, "replayed", "default.new").ok()
    })?;
    broker.accept("a", 10)?;
    wait_for_ids(&sink, "/all", 11)?;
    wait_for_ids(&sink, "/future", 11)?;
    expect(wait_for_ids(&sink, "/new", 1)?, numbered([10]), "from now on")?;
    expect(ids(&sink, "/part").len() + ids(&sink, "/past").len(), 4, "nothing beyond the end")?;

    // Bounds count once: the place that a trigger has stays.
    broker.process.stop()?;
    triggers["all"]["bounds"] = json!({"byId": {"start": known[5]}});
    let broker = start(&redis, "me", triggers, &stream)?;
    broker.accept("a", 11)?;
    wait_for_ids(&sink, "/all", 12)?;
    expect(wait_for_ids(&sink, "/new", 2)?, numbered([10, 11]), "it goes on where it was")?;
    for name in ["all", "new", "old", "part"] {
        kit::eventually(&format!("nothing pending in {name}"), || {
            let group = group(&redis, "replayed", &format!("default.{name}")).ok()?;
            (group["pending"] == 0).then_some(())
        })?;
    }
    settled(&redis, "replayed", "default.all")
}
