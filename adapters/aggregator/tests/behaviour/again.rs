//! What comes twice, what comes late, and who goes away.

use kit::{Gate, Reply, ensure};
use serde_json::json;

use crate::bridge::{Bridge, Outcome, are, has, is, is_json, part, with_data};

#[test]
fn a_part_that_comes_twice_counts_once_and_both_callers_hear() -> Outcome {
    let bridge = Bridge::start(&[])?;
    let mut callers = vec![bridge.call(&part("7", 0, 3)), bridge.call(&part("7", 0, 3))];
    bridge.waits(2)?;
    callers.push(bridge.call(&part("7", 1, 3)));
    bridge.waits(3)?;
    ensure(bridge.sink.count() == 0, || "two parts of three were sent".to_owned())?;
    callers.push(bridge.call(&part("7", 2, 3)));
    is_json(&bridge.sent(1)?, &json!([{"n": 0}, {"n": 1}, {"n": 2}]))?;
    are(callers, 202, "")?;
    ensure(bridge.sink.count() == 1, || "sent twice".to_owned())
}

#[test]
fn a_part_that_comes_while_its_group_is_sent_hears_of_that() -> Outcome {
    let bridge = Bridge::start(&[])?;
    let gate = Gate::new();
    bridge.sink.script([Reply::status(503).held(&gate)]);
    let callers = [part("7", 0, 2), part("7", 1, 2)].map(|part| bridge.call(&part));
    bridge.sink.wait_for(1)?;
    let again = bridge.call(&part("7", 1, 2));
    bridge.waits(3)?;
    gate.open();
    are(callers.into_iter().chain([again]), 503, "the receiver answered 503")?;
    ensure(bridge.sink.count() == 1, || "each tried for itself".to_owned())
}

#[test]
fn what_was_delivered_is_known_for_a_while() -> Outcome {
    let bridge = Bridge::start(&[("AGGREGATOR_REMEMBERED", "2")])?;
    let deliver = |of: &str| are([0, 1].map(|index| bridge.call(&part(of, index, 2))), 202, "");
    deliver("7")?;
    for index in [0, 1] {
        is(&bridge.send(&part("7", index, 2))?, 202, "")?;
    }
    bridge.adapter.process.wait_for_metric(r#"aggregator_parts_total{outcome="delivered before"} 2"#)?;
    let first = bridge.sent(1)?;
    deliver("8")?;
    // Now it is forgotten, and comes with the same id: who takes it can tell.
    deliver("7")?;
    let again = bridge.sent(3)?;
    ensure(first.get("id") == again.get("id") && first.data == again.data, || format!("{first:?} {again:?}"))
}

#[test]
fn two_that_claim_the_same_place_are_not_both_taken() -> Outcome {
    let bridge = Bridge::start(&[])?;
    let first = bridge.call(&part("7", 0, 2));
    bridge.waits(1)?;
    let mut other = with_data("7", 0, 2, "5");
    other.headers.retain(|(name, _)| name != "ce-id");
    let other = other.header("ce-id", "another");
    let refused = bridge.send(&other)?;
    is(&refused, 422, "another event of the group, with other data, has the index 0")?;
    is(&bridge.send(&part("7", 1, 2))?, 202, "")?;
    is(&kit::answer(first)?, 202, "")
}

#[test]
fn the_part_of_one_who_went_away_waits_for_it_to_come_again() -> Outcome {
    let bridge = Bridge::start(&[])?;
    let gone = bridge.restless(&part("7", 0, 3))?;
    bridge.waits(1)?;
    drop(gone);
    bridge.waits(0)?;
    let stays = bridge.call(&part("7", 1, 3));
    bridge.waits(1)?;
    ensure(bridge.sink.count() == 0, || "two of three were sent".to_owned())?;
    is(&bridge.send(&part("7", 2, 3))?, 202, "")?;
    is(&kit::answer(stays)?, 202, "")?;
    is_json(&bridge.sent(1)?, &json!([{"n": 0}, {"n": 1}, {"n": 2}]))?;
    // Only now is it acknowledged.
    is(&bridge.send(&part("7", 0, 3))?, 202, "")?;
    ensure(bridge.sink.count() == 1, || "sent twice".to_owned())
}

#[test]
fn a_part_may_leave_with_its_last_caller() -> Outcome {
    let bridge = Bridge::start(&[("AGGREGATOR_KEEP", "0s")])?;
    let gone = [bridge.restless(&part("7", 0, 2))?, bridge.restless(&part("7", 0, 2))?];
    bridge.waits(2)?;
    let [first, second] = gone;
    drop(first);
    bridge.waits(1)?;
    drop(second);
    bridge.waits(0)?;
    let stays = bridge.call(&part("7", 1, 2));
    bridge.waits(1)?;
    ensure(bridge.sink.count() == 0, || "a part that nobody waits for was sent".to_owned())?;
    is(&bridge.send(&part("7", 0, 2))?, 202, "")?;
    is(&kit::answer(stays)?, 202, "")
}

#[test]
fn when_the_one_who_sends_goes_away_the_next_one_sends() -> Outcome {
    let bridge = Bridge::start(&[])?;
    bridge.sink.script([Reply::hang()]);
    // Which of the two sends is not told.
    let sends = [bridge.restless(&part("7", 0, 2))?, bridge.restless(&part("7", 1, 2))?];
    bridge.sink.wait_for(1)?;
    let stays = bridge.call(&part("7", 0, 2));
    bridge.waits(3)?;
    drop(sends);
    let again = bridge.sent(2)?;
    has(&again, &[("id", bridge.sink.requests()[0].event()?.get("id")), ("aggregatecount", "2")])?;
    is(&kit::answer(stays)?, 202, "")?;
    is(&bridge.send(&part("7", 1, 2))?, 202, "")
}

#[test]
fn when_all_have_gone_while_it_is_sent_it_begins_again() -> Outcome {
    let bridge = Bridge::start(&[])?;
    bridge.sink.script([Reply::hang()]);
    let callers = [bridge.restless(&part("7", 0, 2))?, bridge.restless(&part("7", 1, 2))?];
    bridge.sink.wait_for(1)?;
    drop(callers);
    bridge.waits(0)?;
    let callers = [0, 1].map(|index| bridge.call(&part("7", index, 2)));
    are(callers, 202, "")?;
    // Of the two that have gone the second may have begun to send, too.
    ensure(bridge.sink.count() >= 2, || format!("{:?}", bridge.sink.requests()))
}

/// As a broker does it that has fewer requests out than the group has parts.
#[test]
fn fewer_callers_at_once_than_parts_come_to_the_end() -> Outcome {
    let bridge = Bridge::start(&[("AGGREGATOR_TIMEOUT", "100ms")])?;
    let mut left: Vec<usize> = (0..10).collect();
    for _ in 0..8 {
        let now: Vec<usize> = left.drain(..left.len().min(3)).collect();
        let callers: Vec<_> = now.iter().map(|index| (*index, bridge.call(&part("7", *index, 10)))).collect();
        for (index, caller) in callers {
            let answer = kit::answer(caller)?;
            if answer.status != 202 {
                ensure(answer.status == 503, || format!("{} {}", answer.status, answer.text()))?;
                left.push(index);
            }
        }
    }
    ensure(left.is_empty(), || format!("left: {left:?}"))?;
    let whole: Vec<_> = (0..10).map(|index| json!({ "n": index })).collect();
    is_json(&bridge.sent(1)?, &json!(whole))?;
    ensure(bridge.sink.count() == 1, || "sent twice".to_owned())
}
