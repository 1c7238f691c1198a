//! Events on their way: into the stream, past filters, to targets, and back in as replies.

use kit::{Reply, Sink, eventually};
use peers::Redis;
use serde_json::json;

use crate::{
    Outcome, answer_by_path, event, expect, expect_in_any_order, first_event, group, ids, numbered, settled,
    start, trigger, wait_for_ids,
};

#[test]
fn an_event_is_in_the_stream_as_the_old_broker_wrote_it() -> Outcome {
    let (sink, redis) = (Sink::start()?, Redis::shared()?);
    let settings = [("REDIS_STREAM", "as-of-old"), ("REDIS_TRACKING_ID_ENABLED", "true")];
    let triggers = json!({"t": trigger("a", &sink.url("/in"), json!({}))});
    let broker = start(&redis, "me", triggers, &settings)?;
    broker.accept("a", 1)?;
    broker.accept("b", 2)?;
    wait_for_ids(&sink, "/in", 1)?;
    let entries = redis.ask(&["XRANGE", "as-of-old", "-", "+"])?;
    let (id, fields) = (entries[0][0].as_str().unwrap_or_default(), &entries[0][1]);
    expect(fields[0].as_str(), Some("ce"), "the one field that old brokers know")?;
    let event: serde_json::Value =
        serde_json::from_str(fields[1].as_str().unwrap_or_default()).map_err(|error| error.to_string())?;
    expect(&event["data"], &json!({"number": 1}), "structured JSON")?;
    let arrived = sink.requests()[0].event()?;
    expect(arrived.get("triggermeshbackendid"), id, "the tracking id")?;
    settled(&redis, "as-of-old", "default.t")?;
    expect(ids(&sink, "/in"), numbered([1]), "what the filter lets pass")
}

#[test]
fn each_trigger_has_its_own_place() -> Outcome {
    let (sink, redis) = (Sink::start()?, Redis::shared()?);
    answer_by_path(&sink, vec![("/hangs", Reply::hang())]);
    let settings = [("REDIS_STREAM", "places"), ("REDIS_GROUP", "mine")];
    let triggers = json!({
        "hangs": trigger("a", &sink.url("/hangs"), json!({})),
        "one": trigger("a", &sink.url("/one"), json!({})),
        "all": {"target": {"url": sink.url("/all")}},
    });
    let broker = start(&redis, "me", triggers, &settings)?;
    for number in 0..100 {
        broker.accept(if number % 2 == 0 { "a" } else { "b" }, number)?;
    }
    let one = wait_for_ids(&sink, "/one", 50)?;
    wait_for_ids(&sink, "/all", 100)?;
    expect_in_any_order(one, numbered((0..100).step_by(2)), "what one trigger wants")?;
    settled(&redis, "places", "mine.one")?;
    settled(&redis, "places", "mine.all")?;
    kit::eventually("what hangs is not acknowledged, what the filter refuses is", || {
        (group(&redis, "places", "mine.hangs").ok()?["pending"] == 50).then_some(())
    })
}

#[test]
fn replies_come_back_in_and_a_circle_of_them_ends() -> Outcome {
    let (sink, redis) = (Sink::start()?, Redis::shared()?);
    let reply = Reply::event("b", "kit-7");
    answer_by_path(&sink, vec![("/asks", reply.clone()), ("/circles", reply)]);
    let settings = [("REDIS_STREAM", "replies"), ("BROKER_MAX_HOPS", "3")];
    let triggers = json!({
        "asks": trigger("a", &sink.url("/asks"), json!({})),
        "circles": trigger("b", &sink.url("/circles"), json!({"deadLetterURL": sink.url("/dead")})),
    });
    let broker = start(&redis, "me", triggers, &settings)?;
    broker.accept("a", 1)?;
    let dead = wait_for_ids(&sink, "/dead", 1)?;
    expect(dead, numbered([7]), "the reply that would be one too many")?;
    expect(ids(&sink, "/circles").len(), 3, "hops")?;
    let dead = first_event(&sink, "/dead")?;
    expect(dead.get("knativeerrorcode"), "508", "why")?;
    expect(dead.get("trestlehops"), "4", "how many")?;
    settled(&redis, "replies", "default.circles")
}

#[test]
fn events_of_one_key_go_one_after_the_other() -> Outcome {
    let (sink, redis) = (Sink::start()?, Redis::shared()?);
    let settings = [("REDIS_STREAM", "ordered"), ("BROKER_MAX_IN_FLIGHT", "16")];
    let triggers =
        json!({"t": {"target": {"url": sink.url("/in")}, "deliveryOptions": {"orderBy": "partitionkey"}}});
    let broker = start(&redis, "me", triggers, &settings)?;
    for number in 0..300 {
        let key = (number % 5).to_string();
        let answer = broker.send(&event("a", number).header("ce-partitionkey", &key))?;
        answer.expect(200)?;
    }
    let arrived = wait_for_ids(&sink, "/in", 300)?;
    let number = |id: &String| id.trim_start_matches("kit-").parse::<u64>().unwrap_or_default();
    let arrived: Vec<u64> = arrived.iter().map(number).collect();
    for key in 0..5 {
        let of_key: Vec<u64> = arrived.iter().copied().filter(|number| number % 5 == key).collect();
        expect(of_key, (0..300).filter(|number| number % 5 == key).collect(), "order of a key")?;
    }
    settled(&redis, "ordered", "default.t")
}

#[test]
fn triggers_come_and_go_while_it_runs() -> Outcome {
    let (sink, redis) = (Sink::start()?, Redis::shared()?);
    let one = trigger("a", &sink.url("/one"), json!({}));
    let broker = start(&redis, "me", json!({"one": one}), &[("REDIS_STREAM", "reloaded")])?;
    broker.accept("a", 1)?;
    wait_for_ids(&sink, "/one", 1)?;

    let two = trigger("a", &sink.url("/two"), json!({}));
    broker.reload(&json!({"one": one, "two": two}))?;
    eventually("the group of the new trigger", || group(&redis, "reloaded", "default.two").ok())?;
    broker.accept("a", 2)?;
    wait_for_ids(&sink, "/one", 2)?;
    wait_for_ids(&sink, "/two", 1)?;

    // A trigger that is gone keeps its place, and comes back to it.
    broker.reload(&json!({"one": trigger("b", &sink.url("/moved"), json!({}))}))?;
    broker.accept("a", 3)?;
    broker.accept("b", 4)?;
    expect(
        wait_for_ids(&sink, "/moved", 1)?,
        numbered([4]),
        "the filter and the target of the new document",
    )?;
    expect(ids(&sink, "/two"), numbered([2]), "nothing new for who is gone")?;
    broker.reload(&json!({"one": one, "two": two}))?;
    expect(wait_for_ids(&sink, "/two", 2)?, numbered([2, 3]), "what came meanwhile")?;
    expect(ids(&sink, "/one"), numbered([1, 2]), "what came while the filter was another")?;

    // One who only looks on takes its place away.
    let looks = json!({"ephemeral": true, "target": {"url": sink.url("/looks")}});
    broker.reload(&json!({"one": one, "looks": looks}))?;
    eventually("the group of who looks on", || group(&redis, "reloaded", "default.looks").ok())?;
    broker.accept("a", 5)?;
    wait_for_ids(&sink, "/looks", 1)?;
    broker.reload(&json!({"one": one}))?;
    eventually("no group of who looked on", || group(&redis, "reloaded", "default.looks").err()).map(drop)
}
