//! What is refused, for good or for now, and what the sink says.

use kit::{Adapter, Reply, Request, Sink, ensure};
use serde_json::json;

use crate::bridge::{Bridge, Outcome, are, is, named, part, with_data};

#[test]
fn what_the_sink_says_is_told_to_all() -> Outcome {
    let bridge = Bridge::start(&[])?;
    for (said, status, text) in [
        (400, 400, "the receiver answered 400: why"),
        (413, 413, "the receiver answered 413: why"),
        (402, 422, "the receiver answered 402: why"),
        (404, 503, "the receiver answered 404: why"),
        (503, 503, "the receiver answered 503: why"),
    ] {
        bridge.sink.reset();
        bridge.sink.always(Reply::status(said).body("why"));
        are([0, 1, 2].map(|index| bridge.call(&part("7", index, 3))), status, text)?;
        ensure(bridge.sink.count() == 1, || format!("{said}: asked {} times", bridge.sink.count()))?;
    }
    bridge.sink.reset();
    are([0, 1, 2].map(|index| bridge.call(&part("7", index, 3))), 202, "")?;
    bridge.adapter.process.wait_for_metric(r#"aggregator_groups_total{outcome="not accepted"} 5"#)
}

#[test]
fn a_sink_that_is_down_loses_nothing() -> Outcome {
    let sink = Sink::refusing()?;
    let bridge = Bridge::start(&[("K_SINK", &sink.url("/"))])?;
    for caller in [0, 1].map(|index| bridge.call(&part("7", index, 2))) {
        let answer = kit::answer(caller)?;
        ensure(answer.status == 503, || format!("{} {}", answer.status, answer.text()))?;
    }
    sink.open()?;
    are([0, 1].map(|index| bridge.call(&part("7", index, 2))), 202, "")?;
    ensure(sink.count() == 1, || format!("{:?}", sink.requests()))
}

#[test]
fn what_the_dead_letter_sink_took_is_delivered() -> Outcome {
    let letters = Sink::start()?;
    let bridge = Bridge::start(&[("DEAD_LETTER_SINK", &letters.url("/"))])?;
    bridge.sink.always(Reply::status(422));
    are([0, 1].map(|index| bridge.call(&part("7", index, 2))), 202, "")?;
    let letter = letters.wait_for(1)?.first().ok_or("no letter")?.event()?;
    ensure(letter.get("knativeerrorcode") == "422" && letter.get("splitid") == "7", || format!("{letter:?}"))
}

#[test]
fn without_a_sink_it_does_not_start() -> Outcome {
    let settings = [("AGGREGATOR_CE_TYPE", "whole"), ("AGGREGATOR_CE_SOURCE", "/")];
    let mut process = kit::Process::start("aggregator", &[], &settings)?;
    let code = process.wait()?;
    ensure(code == 78 && process.output().contains("K_SINK is missing"), || process.output())
}

#[test]
fn what_is_no_part_is_refused_for_good() -> Outcome {
    let bridge = Bridge::start(&[("AGGREGATOR_MAX_PARTS", "3"), ("AGGREGATOR_MAX_BYTES", "2000")])?;
    let without = |mut request: Request, header: &str| {
        request.headers.retain(|(name, _)| name != header);
        request
    };
    let begun = bridge.call(&part("8", 0, 2));
    bridge.waits(1)?;
    let large = json!("x".repeat(1990)).to_string();
    for (request, text) in [
        (
            without(part("7", 0, 2), "ce-splitid"),
            "gathering the event: the event has no 'splitid', and belongs to no group",
        ),
        (
            without(part("7", 0, 2), "ce-splitcount"),
            "gathering the event: 'splitcount' is no number of parts from 1 on",
        ),
        (part("7", 0, 0), "gathering the event: 'splitcount' is no number of parts from 1 on"),
        (part("7", 0, 4), "the group has 4 parts, more than 3"),
        (part("8", 1, 3), "the event says that its group has 3 parts, others say 2"),
        (with_data("8", 1, 2, &large), "the group has more than 2000 bytes"),
        (with_data("7", 0, 2, "{"), "gathering the event: the data is no JSON"),
    ] {
        is(&bridge.send(&request)?, 422, text)?;
    }
    ensure(bridge.sink.count() == 0, || "something was sent".to_owned())?;
    is(&bridge.send(&part("8", 1, 2))?, 202, "")?;
    is(&kit::answer(begun)?, 202, "")
}

#[test]
fn what_finds_no_room_is_told_to_come_again() -> Outcome {
    const FULL: &str = "too many events wait for the rest of their groups";
    let bridge = Bridge::start(&[("AGGREGATOR_MAX_GROUPS", "2"), ("AGGREGATOR_MAX_WAITING", "3")])?;
    let mut callers = vec![bridge.call(&part("7", 0, 3)), bridge.call(&part("8", 0, 2))];
    bridge.waits(2)?;
    is(&bridge.send(&part("9", 0, 2))?, 503, FULL)?;
    callers.push(bridge.call(&part("7", 1, 3)));
    bridge.waits(3)?;
    is(&bridge.send(&part("8", 1, 2))?, 503, FULL)?;
    is(&bridge.send(&part("7", 2, 3))?, 503, FULL)?;
    // With it go those who still wait.
    drop(bridge);
    callers.into_iter().for_each(|caller| drop(caller.join()));

    let bridge = Bridge::start(&[("MAX_IN_FLIGHT_BYTES", "1000000")])?;
    let large = json!("x".repeat(300_000)).to_string();
    let first = bridge.call(&with_data("7", 0, 2, &large));
    bridge.waits(1)?;
    is(&bridge.send(&with_data("8", 0, 2, &large))?, 503, FULL)?;
    is(&bridge.send(&part("7", 1, 2))?, 202, "")?;
    is(&kit::answer(first)?, 202, "")
}

#[test]
fn under_the_policy_what_can_never_be_is_told_by_an_event() -> Outcome {
    let bridge = Bridge::start(&[("EVENTS_PAYLOAD_POLICY", "error"), ("AGGREGATOR_TIMEOUT", "200ms")])?;
    let answer = bridge.send(&named("1"))?;
    ensure(answer.status == 200 && answer.headers.get("ce-category") == Some("error"), || {
        format!("{answer:?}")
    })?;
    is(&bridge.send(&part("7", 0, 2))?, 503, "the group was not complete in time: 1 of 2 parts are here")
}

/// Many groups with one part each, from callers who never come again: what they take is bounded, and others are served.
#[test]
fn groups_that_are_never_complete_do_no_harm() -> Outcome {
    let settings = [
        ("MAX_IN_FLIGHT_BYTES", "2000000"),
        ("AGGREGATOR_TIMEOUT", "50ms"),
        ("AGGREGATOR_MAX_GROUPS", "1000"),
    ];
    let bridge = Bridge::start(&settings)?;
    let adapter: &Adapter = &bridge.adapter;
    let before = adapter.process.memory("RssAnon")?;
    let data = json!("x".repeat(10_000)).to_string();
    std::thread::scope(|scope| {
        let flood = |from: usize| {
            (0..50).try_for_each(|number| {
                let answer = adapter.send(&with_data(&format!("{from}-{number}"), 0, 2, &data))?;
                ensure(answer.status == 503, || format!("{} {}", answer.status, answer.text()))
            })
        };
        let floods: Vec<_> = (0..40).map(|from| scope.spawn(move || flood(from))).collect();
        floods.into_iter().try_for_each(|flood| flood.join().map_err(|_| "a client failed")?)
    })?;
    let grown = adapter.process.memory("RssAnon")?.saturating_sub(before);
    ensure(grown < 12 << 20, || format!("20 MB that nobody waits for took {grown} bytes"))?;
    are([0, 1].map(|index| bridge.call(&part("7", index, 2))), 202, "")
}
