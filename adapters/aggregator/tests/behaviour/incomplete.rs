//! Groups that are not complete in time.

use kit::ensure;
use serde_json::json;

use crate::bridge::{Bridge, Outcome, are, has, is, is_json, part};

#[test]
fn callers_are_told_to_come_again() -> Outcome {
    let bridge = Bridge::start(&[("AGGREGATOR_TIMEOUT", "2s")])?;
    let callers = [0, 1].map(|index| bridge.call(&part("7", index, 3)));
    are(callers, 503, "the group was not complete in time: 2 of 3 parts are here")?;
    ensure(bridge.sink.count() == 0, || "it was sent".to_owned())?;
    bridge.adapter.process.wait_for_metric(r#"aggregator_parts_total{outcome="not complete in time"} 2"#)?;
    let callers = [0, 1, 2].map(|index| bridge.call(&part("7", index, 3)));
    are(callers, 202, "")
}

#[test]
fn or_what_there_is_is_sent_and_what_comes_late_begins_again() -> Outcome {
    let bridge = Bridge::start(&[("AGGREGATOR_TIMEOUT", "2s"), ("AGGREGATOR_INCOMPLETE", "send")])?;
    let callers = [0, 2].map(|index| bridge.call(&part("7", index, 3)));
    let first = bridge.sent(1)?;
    has(&first, &[("aggregatecomplete", "false"), ("aggregatecount", "2"), ("splitid", "7")])?;
    is_json(&first, &json!([{"n": 0}, {"n": 2}]))?;
    are(callers, 202, "")?;
    is(&bridge.send(&part("7", 0, 3))?, 202, "")?;
    ensure(bridge.sink.count() == 1, || "what was in it came again, and was sent".to_owned())?;
    is(&bridge.send(&part("7", 1, 3))?, 202, "")?;
    let late = bridge.sent(2)?;
    has(&late, &[("aggregatecomplete", "false"), ("aggregatecount", "1")])?;
    is_json(&late, &json!([{"n": 1}]))?;
    ensure(late.get("id") != first.get("id"), || "one would be taken for the other".to_owned())?;
    bridge.adapter.process.wait_for_metric(r#"aggregator_groups_total{outcome="incomplete"} 2"#)
}

#[test]
fn an_incomplete_group_that_nobody_takes_comes_again() -> Outcome {
    let bridge = Bridge::start(&[("AGGREGATOR_TIMEOUT", "2s"), ("AGGREGATOR_INCOMPLETE", "send")])?;
    bridge.sink.always(kit::Reply::status(500));
    is(&bridge.send(&part("7", 0, 2))?, 503, "the receiver answered 500")?;
    bridge.sink.reset();
    are([0, 1].map(|index| bridge.call(&part("7", index, 2))), 202, "")?;
    has(&bridge.sent(1)?, &[("aggregatecomplete", "true")])
}
