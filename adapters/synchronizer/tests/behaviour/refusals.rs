//! What callers and responders are told when there is no response, or nobody for it.

use std::thread::JoinHandle;

use kit::{Reply, Request, Sink, ensure};
use serde_json::json;

use crate::bridge::{Bridge, Outcome, request, response};

#[test]
fn no_answer_in_time_is_504_and_a_late_one_502() -> Outcome {
    let bridge = Bridge::start(&[("RESPONSE_WAIT_TIMEOUT", "300ms")])?;
    bridge.send(&request("1"))?.expect_text(504, "backend did not respond in time")?;
    let key = bridge.forwarded(1)?.get("correlationid").to_owned();
    let late = bridge.send(&response("a1", &key))?;
    late.expect_text(502, "client session does not exist")?;
    ensure(late.headers.get("retry-after").is_none(), || format!("{late:?}"))
}

#[test]
fn the_wait_counts_from_the_arrival_whatever_the_sink_does() -> Outcome {
    let bridge = Bridge::start(&[("RESPONSE_WAIT_TIMEOUT", "300ms")])?;
    bridge.sink.always(Reply::hang());
    bridge.send(&request("1"))?.expect_text(504, "backend did not respond in time")
}

#[test]
fn unknown_and_second_responses_are_502() -> Outcome {
    let bridge = Bridge::start(&[])?;
    for key in ["nobody", "%20", "x".repeat(4000).as_str(), "ключ"] {
        bridge.send(&response("a1", key))?.expect_text(502, "client session does not exist")?;
    }
    let caller = request("1").send_later(bridge.adapter.address);
    let key = bridge.forwarded(1)?.get("correlationid").to_owned();
    bridge.send(&response("a1", &key))?.expect_text(200, "")?;
    let second = bridge.send(&response("a2", &key))?;
    // It may come while the first is still being written.
    second.expect(502)?;
    let answer = kit::answer(caller)?;
    ensure(answer.headers.get("ce-id") == Some("a1"), || format!("{answer:?}"))?;
    ensure(bridge.sink.count() == 1, || format!("responses went to the sink: {:?}", bridge.sink.requests()))
}

#[test]
fn a_sink_that_does_not_take_the_request_is_told_at_once() -> Outcome {
    let bridge = Bridge::start(&[])?;
    for (said, status, text) in [
        (400, 400, "the receiver answered 400: why"),
        (413, 413, "the receiver answered 413: why"),
        (422, 422, "the receiver answered 422: why"),
        (402, 422, "the receiver answered 402: why"),
        (401, 503, "the receiver answered 401: why"),
        (404, 503, "the receiver answered 404: why"),
        (500, 503, "the receiver answered 500: why"),
        (503, 503, "the receiver answered 503: why"),
    ] {
        bridge.sink.always(Reply::status(said).body("why"));
        let answer = bridge.send(&request("1"))?;
        answer.expect_text(status, text)?;
        let is_transient = answer.headers.get("retry-after").is_some();
        ensure(is_transient == (status == 503), || format!("{answer:?}"))?;
    }
    bridge.sink.always(Reply::close());
    let answer = bridge.send(&request("1"))?;
    answer.expect(503)
}

#[test]
fn a_sink_that_cannot_be_reached_is_told_at_once() -> Outcome {
    let nobody = Sink::refusing()?;
    let bridge = Bridge::start(&[("K_SINK", &nobody.url("/"))])?;
    let answer = bridge.send(&request("1"))?;
    ensure(answer.status == 503 && answer.headers.get("retry-after").is_some(), || format!("{answer:?}"))
}

#[test]
fn what_the_dead_letter_sink_took_has_no_response() -> Outcome {
    let dead_letters = Sink::start()?;
    let bridge = Bridge::start(&[("DEAD_LETTER_SINK", &dead_letters.url("/"))])?;
    bridge.sink.always(Reply::status(400).body("why"));
    bridge.send(&request("1"))?.expect_text(400, "the receiver answered 400: why")?;
    let letter = dead_letters.wait_for(1)?.first().ok_or("no letter")?.event()?;
    ensure(letter.get("knativeerrorcode") == "400", || format!("{letter:?}"))
}

#[test]
fn a_request_without_room_for_a_key_is_400() -> Outcome {
    let bridge = Bridge::start(&[("RESPONSE_WAIT_TIMEOUT", "50ms")])?;
    let mut event = json!({"specversion": "1.0", "id": "1", "source": "/shop", "type": "com.example.order"});
    let full = (0..1000).find_map(|number| {
        event[format!("x{number}")] = "1".into();
        let request = Request::post("/").body("application/cloudevents+json", event.to_string());
        // Those before wait in vain.
        let answer = if number < 240 { None } else { bridge.send(&request).ok() };
        answer.filter(|answer| answer.status != 504)
    });
    let answer = full.ok_or("no request was too full")?;
    answer.expect_text(400, "unable to forward the request: more than 256 attributes")
}

#[test]
fn a_collision_of_short_keys_is_500() -> Outcome {
    let bridge = Bridge::start(&[("CORRELATION_KEY_LENGTH", "1")])?;
    let mut callers: Vec<_> =
        (0..60).map(|id| request(&id.to_string()).send_later(bridge.adapter.address)).collect();
    let first = kit::eventually("a collision", || callers.iter().position(JoinHandle::is_finished))?;
    let answer = kit::answer(callers.swap_remove(first))?;
    answer.expect_text(500, "no correlation key is free: longer ones are needed")?;
    // With it go those who still wait.
    drop(bridge);
    callers.into_iter().for_each(|caller| drop(caller.join()));
    Ok(())
}

#[test]
fn under_the_policy_a_responder_is_told_by_an_event() -> Outcome {
    let bridge = Bridge::start(&[("EVENTS_PAYLOAD_POLICY", "error"), ("RESPONSE_WAIT_TIMEOUT", "200ms")])?;
    let answer = bridge.send(&response("a1", "nobody"))?;
    answer.expect(200)?;
    let event = answer.event()?;
    ensure(event.get("category") == "error", || format!("{event:?}"))?;
    ensure(event.get("correlationid").is_empty(), || format!("it would come back: {event:?}"))?;
    bridge.send(&request("1"))?.expect_text(504, "backend did not respond in time")
}
