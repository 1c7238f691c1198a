//! What callers and the sink see of the aggregator: the real binary between them.

#[path = "behaviour/again.rs"]
mod again;
#[path = "behaviour/bridge.rs"]
mod bridge;
#[path = "behaviour/crowd.rs"]
mod crowd;
#[path = "behaviour/end.rs"]
mod end;
#[path = "behaviour/incomplete.rs"]
mod incomplete;
#[path = "behaviour/refusals.rs"]
mod refusals;

use kit::{Gate, Reply, Request, ensure};
use serde_json::json;

use bridge::{Bridge, Outcome, are, has, is, is_json, named, part};

#[test]
fn parts_become_one_event_in_their_order() -> Outcome {
    let bridge = Bridge::start(&[])?;
    let callers = [2, 0, 1].map(|index| bridge.call(&part("7", index, 3)));
    let aggregate = bridge.sent(1)?;
    has(
        &aggregate,
        &[
            ("type", "whole"),
            ("source", "/aggregator"),
            ("splitid", "7"),
            ("splitsource", "/shop"),
            ("aggregatecount", "3"),
            ("aggregatecomplete", "true"),
            ("datacontenttype", "application/json"),
            ("splitindex", ""),
        ],
    )?;
    is_json(&aggregate, &json!([{"n": 0}, {"n": 1}, {"n": 2}]))?;
    are(callers, 202, "")?;
    bridge.adapter.process.wait_for_metric(r#"aggregator_groups_total{outcome="complete"} 1"#)?;
    bridge.adapter.process.wait_for_metric(r#"aggregator_parts_total{outcome="delivered"} 3"#)?;
    bridge.waits(0)
}

#[test]
fn nobody_is_answered_before_the_sink_has_it() -> Outcome {
    let bridge = Bridge::start(&[])?;
    let gate = Gate::new();
    bridge.sink.always(Reply::status(200).held(&gate));
    let callers = [0, 1].map(|index| bridge.call(&part("7", index, 2)));
    bridge.sink.wait_for(1)?;
    bridge.waits(2)?;
    ensure(callers.iter().all(|caller| !caller.is_finished()), || "answered too early".to_owned())?;
    gate.open();
    are(callers, 202, "")
}

#[test]
fn groups_do_not_mix_and_have_the_count_and_the_key_of_the_settings() -> Outcome {
    let settings = [
        ("AGGREGATOR_GROUP", "type,subject"),
        ("AGGREGATOR_GROUP_PATH", "customer.id"),
        ("AGGREGATOR_COUNT", "2"),
        ("AGGREGATOR_INDEX_ATTRIBUTE", "place"),
        ("AGGREGATOR_CE_EXTENSIONS", r#"{"shop": "north"}"#),
    ];
    let bridge = Bridge::start(&settings)?;
    let event = |id: &str, subject: &str, customer: u8, place: &str| {
        let request = named(id).header("ce-subject", subject).json(&json!({"customer": {"id": customer}}));
        bridge.call(&if place.is_empty() { request } else { request.header("ce-place", place) })
    };
    let mut callers = Vec::new();
    for (index, (subject, customer, place)) in
        [("a", 1, "9"), ("a", 2, ""), ("b", 1, "")].into_iter().enumerate()
    {
        callers.push(event(&index.to_string(), subject, customer, place));
        bridge.waits(index + 1)?;
    }
    callers.push(event("3", "a", 1, "-3"));
    let aggregate = bridge.sent(1)?;
    has(&aggregate, &[("subject", "a"), ("shop", "north"), ("place", ""), ("type", "whole")])?;
    bridge.waits(2)?;
    callers.push(event("4", "b", 1, ""));
    callers.push(event("5", "a", 2, ""));
    bridge.sink.wait_for(3)?;
    are(callers, 202, "")
}

#[test]
fn events_without_an_index_stand_as_they_came() -> Outcome {
    let bridge = Bridge::start(&[("AGGREGATOR_GROUP", "source"), ("AGGREGATOR_COUNT", "3")])?;
    let mut callers = Vec::new();
    for id in ["c", "a", "b"] {
        callers.push(bridge.call(&named(id).body("text/plain", id)));
        if callers.len() < 3 {
            bridge.waits(callers.len())?;
        }
    }
    is_json(&bridge.sent(1)?, &json!(["c", "a", "b"]))?;
    are(callers, 202, "")
}

#[test]
fn elements_may_be_whole_events() -> Outcome {
    let bridge = Bridge::start(&[("AGGREGATOR_ELEMENTS", "events"), ("AGGREGATOR_COUNT", "1")])?;
    let request = part("7", 0, 1).header("ce-subject", "4711");
    is(&bridge.send(&request)?, 202, "")?;
    let expected = json!([{
        "specversion": "1.0", "id": "7-0", "source": "/splitter", "type": "part", "splitid": "7", "splitsource": "/shop",
        "splitindex": "0", "splitcount": "1", "subject": "4711", "datacontenttype": "application/json", "data": {"n": 0},
    }]);
    is_json(&bridge.sent(1)?, &expected)
}

#[test]
fn the_events_of_a_batch_wait_together() -> Outcome {
    let bridge = Bridge::start(&[])?;
    let event = |of: &str, index: usize, count: usize| {
        json!({
            "specversion": "1.0", "id": format!("{of}-{index}"), "source": "/splitter", "type": "part", "splitid": of,
            "splitsource": "/shop", "splitindex": index.to_string(), "splitcount": count.to_string(), "data": index,
        })
    };
    let batch = |events: serde_json::Value| {
        Request::post("/").body("application/cloudevents-batch+json", events.to_string())
    };
    let whole = batch(json!([event("7", 0, 2), event("8", 0, 1), event("7", 1, 2)]));
    is(&bridge.send(&whole)?, 202, "")?;
    bridge.sink.wait_for(2)?;
    is(&bridge.send(&whole)?, 202, "")?;
    let begun = bridge.call(&batch(json!([event("9", 0, 3), event("9", 2, 3)])));
    bridge.waits(2)?;
    is(&bridge.send(&part("9", 1, 3))?, 202, "")?;
    is(&kit::answer(begun)?, 202, "")?;
    is_json(&bridge.sent(3)?, &json!([0, {"n": 1}, 2]))?;
    let wrong = batch(json!([event("10", 0, 2), event("10", 1, 3)]));
    is(&bridge.send(&wrong)?, 422, "the event says that its group has 3 parts, others say 2")?;
    bridge.waits(0)
}
