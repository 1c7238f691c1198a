//! Replies of targets and dead letters come back into the broker, but not for ever.

use kit::{Reply, Sink, eventually};
use serde_json::json;

use crate::{Outcome, answer_by_path, event, expect, first_event, ids, start, trigger, wait_for_ids};

fn reply(event_type: &str) -> Reply {
    Reply::event(event_type, "r").header("content-type", "text/plain").body("hello")
}

#[test]
fn a_reply_goes_to_the_triggers_that_want_it() -> Outcome {
    let sink = Sink::start()?;
    answer_by_path(&sink, vec![("/ask", reply("answer"))]);
    let triggers = json!({
        "ask": trigger("question", &sink.url("/ask"), json!({})),
        "answer": trigger("answer", &sink.url("/answer"), json!({})),
    });
    let broker = start(triggers, &[])?;
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let sent = broker.send(&event("question", 1).header("traceparent", parent))?;
    expect(sent.status, 200, "accepted")?;
    let answer = first_event(&sink, "/answer")?;
    expect(answer.get("type"), "answer", "the reply")?;
    expect(answer.get("source"), "/reply", "the reply")?;
    let request =
        sink.requests().into_iter().find(|request| request.path == "/answer").ok_or("no request")?;
    expect(request.text().as_str(), "hello", "its data")?;
    let trace = request.headers.get("traceparent").unwrap_or_default().to_owned();
    expect(trace.get(3..35), parent.get(3..35), "one trace")
}

#[test]
fn a_dead_letter_may_answer_too() -> Outcome {
    let sink = Sink::start()?;
    answer_by_path(&sink, vec![("/in", Reply::status(400)), ("/dead", reply("buried"))]);
    let triggers = json!({
        "t": trigger("a", &sink.url("/in"), json!({"deadLetterURL": sink.url("/dead")})),
        "buried": trigger("buried", &sink.url("/buried"), json!({})),
    });
    let broker = start(triggers, &[])?;
    broker.accept("a", 1)?;
    wait_for_ids(&sink, "/buried", 1)?;
    Ok(())
}

#[test]
fn a_circle_of_replies_ends_in_the_dead_letter() -> Outcome {
    let sink = Sink::start()?;
    answer_by_path(&sink, vec![("/loop", reply("again"))]);
    let triggers = json!({
        "loop": {"target": {"url": sink.url("/loop")}, "deliveryOptions": {"deadLetterURL": sink.url("/dead")}},
    });
    let broker = start(triggers, &[("BROKER_MAX_HOPS", "3")])?;
    broker.accept("a", 1)?;
    let dead = first_event(&sink, "/dead")?;
    expect(dead.get("type"), "again", "the reply, not what it answers")?;
    expect(dead.get("knativeerrorcode"), "508", "a loop")?;
    expect(ids(&sink, "/loop").len(), 4, "the event and three replies")?;
    expect(broker.lost().len(), 0, "nothing is lost")
}

#[test]
fn a_full_broker_still_takes_replies() -> Outcome {
    // Every share is one event: a reply has room only because it takes that of the event it answers.
    let sink = Sink::start()?;
    answer_by_path(&sink, vec![("/loop", reply("again"))]);
    let triggers = json!({"loop": {"target": {"url": sink.url("/loop")}}});
    let settings =
        [("MEMORY_BUFFER_SIZE", "1"), ("BROKER_MAX_HOPS", "200"), ("MEMORY_PRODUCE_TIMEOUT", "60s")];
    let broker = start(triggers, &settings)?;
    broker.accept("a", 1)?;
    let later = event("a", 2).send_later(broker.address);
    eventually("both circles at their end", || (broker.lost().len() == 2).then_some(()))?;
    expect(ids(&sink, "/loop").len(), 2 * 201, "no reply was refused for want of room")?;
    expect(kit::answer(later)?.status, 200, "the new event waited for the replies")
}
