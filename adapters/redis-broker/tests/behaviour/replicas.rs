//! Several processes of one broker: they share the work, and what one leaves behind another takes.

use std::{thread, time::Duration};

use kit::{Gate, Reply, Sink, eventually};
use peers::Redis;
use serde_json::json;

use crate::{
    Outcome, answer_by_path, event, expect, expect_in_any_order, group, ids, numbered, settled, start,
    wait_for_ids,
};

#[test]
fn two_share_the_work() -> Outcome {
    let (sink, redis) = (Sink::start()?, Redis::shared()?);
    answer_by_path(&sink, vec![("/in", Reply::status(202).after(Duration::from_millis(20)))]);
    let settings = [("REDIS_STREAM", "shared"), ("BROKER_MAX_IN_FLIGHT", "8")];
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}, "deliveryOptions": {"concurrency": 2}}});
    let one = start(&redis, "one", triggers.clone(), &settings)?;
    let two = start(&redis, "two", triggers, &settings)?;
    for number in 0..100 {
        (if number % 2 == 0 { &one } else { &two }).accept("a", number)?;
    }
    let found = wait_for_ids(&sink, "/in", 100)?;
    settled(&redis, "shared", "default.t")?;
    expect_in_any_order(found, numbered(0..100), "each once")?;
    expect(&group(&redis, "shared", "default.t")?["consumers"], &json!(2), "both have read")
}

#[test]
fn what_a_dead_process_had_is_taken_over() -> Outcome {
    let (sink, redis, gate) = (Sink::start()?, Redis::shared()?, Gate::new());
    answer_by_path(&sink, vec![("/in", Reply::status(202).held(&gate))]);
    let settings = [("REDIS_STREAM", "inherited"), ("REDIS_CLAIM_IDLE", "3s")];
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}}});
    let dead = start(&redis, "dead", triggers.clone(), &settings)?;
    for number in 0..20 {
        dead.accept("a", number)?;
    }
    wait_for_ids(&sink, "/in", 20)?;
    // SIGKILL.
    drop(dead);
    gate.open();
    let _heir = start(&redis, "heir", triggers, &settings)?;
    let found = wait_for_ids(&sink, "/in", 40)?.split_off(20);
    expect_in_any_order(found, numbered(0..20), "all of it")?;
    settled(&redis, "inherited", "default.t")
}

#[test]
fn what_takes_long_is_not_taken_over() -> Outcome {
    let (sink, redis, gate) = (Sink::start()?, Redis::shared()?, Gate::new());
    answer_by_path(&sink, vec![("/in", Reply::status(202).held(&gate))]);
    let settings = [("REDIS_STREAM", "slow"), ("REDIS_CLAIM_IDLE", "3s")];
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}}});
    let one = start(&redis, "one", triggers.clone(), &settings)?;
    one.accept("a", 1)?;
    wait_for_ids(&sink, "/in", 1)?;
    let _two = start(&redis, "two", triggers, &settings)?;
    // Longer than it may be in the hands of one who says nothing, twice.
    thread::sleep(Duration::from_secs(7));
    gate.open();
    settled(&redis, "slow", "default.t")?;
    expect(ids(&sink, "/in"), numbered([1]), "once")
}

#[test]
fn a_restarted_process_goes_on_with_what_it_had() -> Outcome {
    let (sink, redis) = (Sink::start()?, Redis::shared()?);
    answer_by_path(&sink, vec![("/in", Reply::hang())]);
    let settings = [("REDIS_STREAM", "again"), ("BROKER_MAX_IN_FLIGHT", "10")];
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}, "deliveryOptions": {"concurrency": 1}}});
    let broker = start(&redis, "same", triggers.clone(), &settings)?;
    for number in 0..30 {
        broker.accept("a", number)?;
    }
    eventually("as much as there is room for", || {
        let pending = &group(&redis, "again", "default.t").ok()?["pending"];
        (pending.as_u64()? >= 8).then_some(())
    })?;
    drop(broker);
    answer_by_path(&sink, vec![]);
    let _again = start(&redis, "same", triggers, &settings)?;
    let found = wait_for_ids(&sink, "/in", 31)?.split_off(1);
    expect(found, numbered(0..30), "in order, what it had first")?;
    settled(&redis, "again", "default.t")
}

/// Of two, one delivers at a time, and a key that is stuck at one of them does not keep the others for ever.
#[test]
fn order_by_key_is_kept_by_two() -> Outcome {
    let (sink, redis, gate) = (Sink::start()?, Redis::shared()?, Gate::new());
    let held = gate.clone();
    sink.route(move |request| {
        let stuck = request.event().ok()?.get("partitionkey") == "stuck";
        let reply = Reply::status(202).after(Duration::from_millis(5));
        Some(if stuck { reply.held(&held) } else { reply })
    });
    let settings =
        [("REDIS_STREAM", "ordered by two"), ("REDIS_CLAIM_IDLE", "3s"), ("BROKER_MAX_IN_FLIGHT", "8")];
    let options = json!({"orderBy": "partitionkey"});
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}, "deliveryOptions": options}});
    let both =
        [start(&redis, "one", triggers.clone(), &settings)?, start(&redis, "two", triggers, &settings)?];
    let send = |number: u64, key: &str| -> Outcome {
        let request = event("a", number).header("ce-partitionkey", key);
        expect(both[(number % 2) as usize].send(&request)?.status, 200, "accepted")
    };
    for number in 0..120 {
        send(number, &format!("k{}", number % 3))?;
    }
    let arrived = wait_for_ids(&sink, "/in", 120)?;
    for key in 0..3 {
        let wanted = numbered((0..120).filter(|number| number % 3 == key));
        let found: Vec<_> = arrived.iter().filter(|id| wanted.contains(id)).cloned().collect();
        expect(found, wanted, "the order of a key")?;
    }
    settled(&redis, "ordered by two", "default.t")?;
    send(120, "stuck")?;
    for number in 121..160 {
        send(number, "k0")?;
    }
    let behind = numbered(121..160);
    let arrived = eventually("those behind it", || {
        let arrived = ids(&sink, "/in").into_iter().filter(|id| behind.contains(id));
        Some(arrived.collect::<Vec<_>>()).filter(|arrived| arrived.len() >= behind.len())
    })?;
    expect(arrived, behind, "those behind it, in order")?;
    gate.open();
    settled(&redis, "ordered by two", "default.t")
}
