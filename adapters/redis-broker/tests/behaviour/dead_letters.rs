//! What cannot be delivered: to the dead-letter address until it takes it, or kept to be looked at and delivered again.

use kit::broker::pages;
use kit::{Reply, Request, Sink};
use peers::Redis;
use serde_json::json;

use crate::{
    Outcome, answer_by_path, begin, event, expect, first_event, group, numbered, settled, start, trigger,
    wait_for_ids,
};

#[test]
fn a_dead_letter_address_gets_the_event_with_what_happened() -> Outcome {
    let (sink, redis) = (Sink::start()?, Redis::shared()?);
    answer_by_path(&sink, vec![("/in", Reply::status(503).body("busy"))]);
    let options = json!({"retry": 2, "backoffPolicy": "constant", "backoffDelay": "PT0.05S", "deadLetterURL": sink.url("/dead")});
    let triggers = json!({"t": trigger("a", &sink.url("/in"), options)});
    let broker = start(&redis, "me", triggers, &[("REDIS_STREAM", "dead")])?;
    broker.accept("a", 1)?;
    let dead = first_event(&sink, "/dead")?;
    let said =
        ["id", "knativeerrorcode", "knativeerrordata", "trestletrigger", "trestleattempts", "trestlehops"]
            .map(|name| dead.get(name).to_owned());
    expect(said, ["kit-1", "503", "YnVzeQ==", "t", "3", "0"].map(str::to_owned), "what is said")?;
    settled(&redis, "dead", "default.t")?;
    expect(&broker.json("/dlq")?["entries"], &json!([]), "it is not kept beside that")
}

#[test]
fn what_nobody_takes_waits_and_is_not_acknowledged() -> Outcome {
    let (sink, redis) = (Sink::start()?, Redis::shared()?);
    answer_by_path(&sink, vec![("/in", Reply::status(400)), ("/dead", Reply::status(500))]);
    let triggers = json!({"t": trigger("a", &sink.url("/in"), json!({"deadLetterURL": sink.url("/dead")}))});
    let mut broker = start(&redis, "me", triggers.clone(), &[("REDIS_STREAM", "held")])?;
    broker.accept("a", 1)?;
    wait_for_ids(&sink, "/dead", 2)?;
    expect(&group(&redis, "held", "default.t")?["pending"], &json!(1), "it is not done with")?;
    broker.process.stop()?;
    answer_by_path(&sink, vec![("/in", Reply::status(400)), ("/dead", Reply::status(202))]);
    let _again = start(&redis, "me", triggers, &[("REDIS_STREAM", "held")])?;
    settled(&redis, "held", "default.t")
}

#[test]
fn without_an_address_they_are_kept_listed_and_delivered_again() -> Outcome {
    let (sink, redis) = (Sink::start()?, Redis::shared()?);
    let broker = start(&redis, "me", pages::triggers(&sink), &[("REDIS_STREAM", "kept")])?;
    pages::kept(&broker, &sink)?;
    broker.get("/dlq/nonsense")?.expect(400)?;
    broker.get("/dlq?limit=none")?.expect(400)?;
    broker.reload(&json!({"t": trigger("a", &sink.url("/in"), json!({}))}))?;
    let listing = broker.json("/dlq")?;
    let orphan = pages::entry(&listing, "kit-3")?["id"].as_str().ok_or("no id")?;
    broker.page("POST", &format!("/dlq/{orphan}/replay"))?.expect(409)
}

#[test]
fn an_entry_that_is_no_event_is_kept_too() -> Outcome {
    let (sink, redis) = (Sink::start()?, Redis::shared()?);
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}}});
    let broker = start(&redis, "me", triggers, &[("REDIS_STREAM", "strange")])?;
    redis.ask(&["XADD", "strange", "*", "ce", "{\"no\": \"event\"}"])?;
    redis.ask(&["XADD", "strange", "*", "temperature", "21"])?;
    broker.accept("a", 1)?;
    expect(wait_for_ids(&sink, "/in", 1)?, numbered([1]), "what is an event goes on")?;
    settled(&redis, "strange", "default.t")?;
    let listing = broker.json("/dlq")?;
    let id = listing["entries"][1]["id"].as_str().ok_or("no second dead letter")?;
    let whole = broker.json(&format!("/dlq/{id}"))?;
    expect(whole["data"].as_str(), Some(r#"{"temperature":"21"}"#), "what stood there")?;
    expect(broker.page("POST", &format!("/dlq/{id}/replay"))?.status, 409, "no event")
}

#[test]
fn the_pages_want_the_credentials_of_the_document() -> Outcome {
    let redis = Redis::shared()?;
    let (address, document) =
        (redis.address().to_string(), json!({"ingest": {"user": "me", "password": "open sesame"}}));
    let settings =
        [("REDIS_ADDRESS", &*address), ("REDIS_PASSWORD", Redis::PASSWORD), ("REDIS_STREAM", "guarded")];
    let mut broker = begin(&document, &settings)?;
    broker.process.wait_for_status("/readyz", 200)?;
    for (method, path) in [
        ("GET", "/dlq"),
        ("GET", "/dlq/1-1"),
        ("DELETE", "/dlq/1-1"),
        ("POST", "/dlq/1-1/replay"),
        ("GET", "/status"),
    ] {
        expect(broker.page(method, path)?.status, 401, path)?;
    }
    expect(broker.post("a", 1)?.status, 401, "events as well")?;
    let with = |request: Request| broker.send(&request.header("authorization", "Basic bWU6b3BlbiBzZXNhbWU="));
    expect(with(Request::get("/dlq"))?.status, 200, "with them")?;
    expect(with(event("a", 1))?.status, 200, "with them")
}
