//! What callers, responders and the sink see of the synchronizer: the real binary between them.

#[path = "behaviour/bridge.rs"]
mod bridge;
#[path = "behaviour/crowd.rs"]
mod crowd;
#[path = "behaviour/end.rs"]
mod end;
#[path = "behaviour/refusals.rs"]
mod refusals;

use kit::{Authority, Folder, ensure};
use serde_json::json;

use bridge::{Bridge, Outcome, request, response};

#[test]
fn the_caller_gets_the_event_that_answers_its_own() -> Outcome {
    let bridge = Bridge::start(&[("EVENTS_BRIDGE_IDENTIFIER", "shop")])?;
    let caller = request("1").send_later(bridge.adapter.address);
    let forwarded = bridge.forwarded(1)?;
    ensure(forwarded.get("id") == "1" && forwarded.get("type") == "com.example.order", || {
        format!("{forwarded:?}")
    })?;
    ensure(forwarded.get("statefulbridge") == "shop", || format!("{forwarded:?}"))?;
    ensure(forwarded.json() == json!({"order": "1"}), || format!("{forwarded:?}"))?;
    let key = forwarded.get("correlationid").to_owned();
    let letters = key.bytes().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit());
    ensure(key.len() == 24 && letters, || key.clone())?;

    let responder = bridge.send(&response("a1", &key))?;
    ensure(responder.status == 200 && responder.body.is_empty(), || format!("{responder:?}"))?;
    let answer = kit::answer(caller)?;
    answer.expect(200)?;
    let event = answer.event()?;
    for (name, value) in [
        ("id", "a1"),
        ("type", "com.example.answer"),
        ("source", "/warehouse"),
        ("correlationid", &key),
        ("statefulbridge", "shop"),
        ("datacontenttype", "application/json"),
    ] {
        ensure(event.get(name) == value, || format!("{name}: {event:?}"))?;
    }
    ensure(event.data == br#"{ "answer":  1.0 }"#, || format!("{event:?}"))
}

#[test]
fn a_bridge_that_is_named_already_keeps_its_name() -> Outcome {
    let bridge = Bridge::start(&[("EVENTS_BRIDGE_IDENTIFIER", "shop")])?;
    let caller = request("1").header("ce-statefulbridge", "another").send_later(bridge.adapter.address);
    let forwarded = bridge.forwarded(1)?;
    ensure(forwarded.get("statefulbridge") == "another", || format!("{forwarded:?}"))?;
    let key = forwarded.get("correlationid");
    bridge.send(&response("a1", key).header("ce-statefulbridge", "another"))?;
    let answer = kit::answer(caller)?;
    ensure(answer.headers.get("ce-statefulbridge") == Some("another"), || format!("{answer:?}"))
}

#[test]
fn the_key_is_as_long_as_it_was_set() -> Outcome {
    for (length, expected) in [("0", 24), ("1", 1), ("64", 64)] {
        let bridge = Bridge::start(&[("CORRELATION_KEY_LENGTH", length), ("CORRELATION_KEY", "OrderKey")])?;
        let caller = request("1").send_later(bridge.adapter.address);
        let key = bridge.forwarded(1)?.get("orderkey").to_owned();
        ensure(key.len() == expected, || format!("{length}: {key}"))?;
        let mut response = response("a1", &key);
        for (name, _) in &mut response.headers {
            if name == "ce-correlationid" {
                "ce-orderkey".clone_into(name);
            }
        }
        bridge.send(&response)?;
        let answer = kit::answer(caller)?;
        answer.expect(200)?;
        let warned = bridge.adapter.process.output().contains("can guess them");
        ensure(warned == (expected == 1), || bridge.adapter.process.output())?;
    }
    Ok(())
}

#[test]
fn a_structured_request_and_a_structured_response_find_each_other() -> Outcome {
    let bridge = Bridge::start(&[])?;
    let event = json!({
        "specversion": "1.0", "id": "1", "source": "/shop", "type": "com.example.order", "data": {"order": 1},
    });
    let caller = kit::Request::post("/").body("application/cloudevents+json", event.to_string());
    let caller = caller.send_later(bridge.adapter.address);
    let key = bridge.forwarded(1)?.get("correlationid").to_owned();
    let event = json!({
        "specversion": "1.0", "id": "2", "source": "/warehouse", "type": "com.example.answer",
        "correlationid": key, "data": {"answer": 2},
    });
    bridge.send(&kit::Request::post("/").body("application/cloudevents+json", event.to_string()))?;
    let answer = kit::answer(caller)?;
    let event = answer.event()?;
    ensure(event.get("id") == "2" && event.json() == json!({"answer": 2}), || format!("{event:?}"))
}

#[test]
fn both_sides_may_speak_tls() -> Outcome {
    let authority = Authority::new()?;
    let identity = authority.issue()?;
    let folder = Folder::new()?;
    let certificate = folder.file("tls.crt", &identity.certificate)?;
    let key = folder.file("tls.key", &identity.key)?;
    let bridge = Bridge::unready(&[("TLS_CERT_FILE", &certificate), ("TLS_KEY_FILE", &key)])?;
    std::thread::scope(|scope| {
        let caller = scope.spawn(|| authority.send(&request("1"), bridge.adapter.address));
        let key = bridge.forwarded(1)?.get("correlationid").to_owned();
        let responder = authority.send(&response("a1", &key), bridge.adapter.address);
        ensure(responder.as_ref().is_ok_and(|answer| answer.status == 200), || format!("{responder:?}"))?;
        let answer = caller.join().map_err(|_| "the client failed")?;
        let got = answer.as_ref().ok().and_then(|answer| answer.headers.get("ce-id"));
        ensure(got == Some("a1"), || format!("{answer:?}"))
    })
}

#[test]
fn a_response_may_come_before_the_sink_has_acknowledged() -> Outcome {
    let bridge = Bridge::start(&[])?;
    let gate = kit::Gate::new();
    bridge.sink.always(kit::Reply::status(202).held(&gate));
    let caller = request("1").send_later(bridge.adapter.address);
    let key = bridge.forwarded(1)?.get("correlationid").to_owned();
    bridge.send(&response("a1", &key))?;
    let answer = kit::answer(caller)?;
    answer.expect(200)?;
    gate.open();
    Ok(())
}

#[test]
fn what_happens_is_counted() -> Outcome {
    let bridge = Bridge::start(&[("RESPONSE_WAIT_TIMEOUT", "200ms")])?;
    bridge.send(&request("1"))?;
    bridge.send(&response("a1", "nobody"))?;
    for line in [
        r#"synchronizer_outcomes_total{event="request",outcome="no response in time"} 1"#,
        r#"synchronizer_outcomes_total{event="response",outcome="unknown key"} 1"#,
        "synchronizer_waiting_requests 0",
    ] {
        bridge.adapter.process.wait_for_metric(line)?;
    }
    Ok(())
}
