//! The pages of dead letters, as every broker that keeps them has them.

use serde_json::{Value, json};

use super::{Broker, answer_by_path, expect, expect_in_any_order, ids, numbered, trigger, wait_for_ids};
use crate::{Failure, Reply, Sink};

/// The triggers that [`kept`] wants: `t` and `other` for events of type `a`, `u` for those of type `b`.
#[must_use]
pub fn triggers(sink: &Sink) -> Value {
    json!({
        "t": trigger("a", &sink.url("/in"), json!({"concurrency": 1})),
        "other": trigger("a", &sink.url("/other"), json!({})),
        "u": trigger("b", &sink.url("/in"), json!({})),
    })
}

/// What nobody takes is kept, listed, delivered again and removed. Left are in the end `kit-2` of `t` and `kit-3` of `u`.
///
/// # Errors
/// What is otherwise.
pub fn kept(broker: &Broker, sink: &Sink) -> Result<(), Failure> {
    answer_by_path(sink, vec![("/in", Reply::status(422).body("no such order"))]);
    expect(&broker.json("/dlq")?, &json!({"entries": [], "next": null}), "none at first")?;
    for number in 0..3 {
        broker.accept("a", number)?;
    }
    broker.dead_letters(3)?;
    broker.accept("b", 3)?;
    let listing = broker.dead_letters(4)?;
    let first = entry(&listing, "kit-0")?;
    expect(first["trigger"].as_str(), Some("t"), "the trigger")?;
    expect(first["error"].as_str(), Some("no such order"), "the error")?;
    expect((&first["code"], &first["attempts"]), (&json!(422), &json!(1)), "code and attempts")?;

    let page = broker.json("/dlq?limit=2&trigger=t")?;
    let next = page["next"].as_str().ok_or("no next page")?;
    let rest = broker.json(&format!("/dlq?limit=2&trigger=t&after={next}"))?;
    expect((events(&rest).len(), &rest["next"]), (1, &Value::Null), "the last page")?;
    expect_in_any_order([events(&page), events(&rest)].concat(), numbered(0..3), "of one trigger")?;

    let path = format!("/dlq/{}", first["id"].as_str().ok_or("no id")?);
    expect(&broker.json(&path)?["data"], &json!({"number": 0}), "the data")?;
    let replay = format!("{path}/replay");
    let refused = broker.page("POST", &replay)?;
    refused.expect(502)?;
    expect(refused.text().contains("422"), true, "why not")?;
    wait_for_ids(sink, "/other", 3)?;
    answer_by_path(sink, vec![]);
    broker.page("POST", &replay)?.expect(200)?;
    let last = sink.requests().pop().ok_or("nothing arrived")?.event()?;
    expect(last.get("id"), "kit-0", "delivered again")?;
    let extension =
        last.attributes.iter().find(|(name, _)| name.starts_with("trestle") || name.starts_with("knative"));
    expect(extension, None, "as it was at first")?;
    expect(ids(sink, "/other").len(), 3, "to its trigger alone")?;
    expect(ids(sink, "/in").len(), 6, "four tries and two replays")?;
    broker.page("POST", &replay)?.expect(404)?;

    let path = format!("/dlq/{}", entry(&listing, "kit-1")?["id"].as_str().ok_or("no id")?);
    broker.page("DELETE", &path)?.expect(204)?;
    broker.page("DELETE", &path)?.expect(404)?;
    expect_in_any_order(events(&broker.json("/dlq")?), numbered(2..4), "what is left")
}

/// The ids of the events in a listing.
#[must_use]
pub fn events(listing: &Value) -> Vec<String> {
    let entries = listing["entries"].as_array().into_iter().flatten();
    entries.filter_map(|entry| Some(entry["event"]["id"].as_str()?.to_owned())).collect()
}

/// What a listing says of an event.
///
/// # Errors
/// When it says nothing of it.
pub fn entry<'a>(listing: &'a Value, event: &str) -> Result<&'a Value, Failure> {
    let mut entries = listing["entries"].as_array().into_iter().flatten();
    entries.find(|entry| entry["event"]["id"] == event).ok_or_else(|| format!("no {event} in {listing}"))
}
