//! What the broker does with events, seen from outside: the real binary between a sender, a real Redis and scripted
//! receivers.

#![expect(clippy::disallowed_methods, reason = "two tests see that nothing happens for a while")]

mod away;
mod batch;
mod cluster;
mod dead_letters;
mod delivery;
mod load;
mod replay;
mod replicas;
mod rotated;
mod status;
mod trimming;

use kit::broker::{
    Broker, answer_by_path, event, expect, expect_in_any_order, first_event, ids, numbered, trigger,
    wait_for_different, wait_for_ids,
};
use kit::{Failure, eventually};
use peers::Redis;
use serde_json::{Value, json};

type Outcome = Result<(), Failure>;

/// One that is ready.
fn start(redis: &Redis, name: &str, triggers: Value, settings: &[(&str, &str)]) -> Result<Broker, Failure> {
    let address = redis.address().to_string();
    let base = [("REDIS_ADDRESS", &*address), ("REDIS_PASSWORD", Redis::PASSWORD), ("BROKER_NAME", name)];
    Broker::ready("redis-broker", &json!({"triggers": triggers}), &[&base, settings].concat())
}

/// One that listens.
fn begin(document: &Value, settings: &[(&str, &str)]) -> Result<Broker, Failure> {
    Broker::listening("redis-broker", document, settings)
}

/// The group of a trigger as Redis has it.
fn group(redis: &Redis, stream: &str, name: &str) -> Result<Value, Failure> {
    let groups = redis.ask(&["XINFO", "GROUPS", stream])?;
    let found = groups.as_array().and_then(|all| all.iter().find(|group| group["name"] == name)).cloned();
    found.ok_or_else(|| format!("no group {name} in {groups}"))
}

/// Waits until a group has nothing pending and nothing unread.
fn settled(redis: &Redis, stream: &str, name: &str) -> Outcome {
    eventually(&format!("nothing pending in {name}"), || {
        let group = group(redis, stream, name).ok()?;
        (group["pending"] == 0 && group["lag"] == 0).then_some(())
    })
}
