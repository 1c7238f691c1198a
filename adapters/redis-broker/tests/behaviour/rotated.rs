//! The password is changed at the server while events flow.

use kit::{Folder, Sink, ensure, eventually};
use peers::Redis;
use serde_json::json;

use crate::{Outcome, expect, ids, start};

const NEW: &str = "another-horse-battery";

#[test]
fn a_new_password_is_said_to_be_missing_and_taken_up() -> Outcome {
    let (sink, redis, folder) = (Sink::start()?, Redis::start()?, Folder::new()?);
    let file = folder.file("password", Redis::PASSWORD)?;
    // Another user than the one of the trial, whose password stays.
    let user = |password: &str| {
        let all = ["ACL", "SETUSER", "broker", "reset", "on", "~*", "+@all"];
        redis.ask(&[&all[..], &[&format!(">{password}")]].concat())?;
        redis.ask(&["CLIENT", "KILL", "USER", "broker"])
    };
    user(Redis::PASSWORD)?;
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}}});
    let settings = [
        ("REDIS_STREAM", "rotated"),
        ("REDIS_USERNAME", "broker"),
        ("REDIS_PASSWORD", ""),
        ("REDIS_PASSWORD_FILE", &*file),
    ];
    let mut broker = start(&redis, "me", triggers, &settings)?;
    broker.accept("a", 1)?;
    user(NEW)?;
    broker.process.wait_for_status("/readyz", 503)?;
    let page = broker.json("/status")?;
    let reason = page["me"]["ingest"]["message"].as_str().unwrap_or_default().to_owned();
    ensure(reason.contains("REDIS_PASSWORD"), || reason.clone())?;
    expect(broker.post("a", 2)?.status, 503, "nothing is taken")?;
    folder.file("password", NEW)?;
    broker.process.wait_for_status("/readyz", 200)?;
    eventually("an event that is taken", || broker.post("a", 3).ok().filter(|answer| answer.status == 200))?;
    eventually("its arrival", || ids(&sink, "/in").contains(&"kit-3".to_owned()).then_some(()))?;
    let output = broker.process.output();
    ensure(!output.contains(Redis::PASSWORD) && !output.contains(NEW), || output)
}
