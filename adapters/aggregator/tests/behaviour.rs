//! What callers and the sink see of the aggregator: the real binary between them.

#[path = "behaviour/bridge.rs"]
mod bridge;

use serde_json::json;

use bridge::{Bridge, Outcome, answer, is, part};

#[test]
fn parts_become_one_event_in_their_order() -> Outcome {
    let bridge = Bridge::start(&[])?;
    let callers: Vec<_> =
        [2, 0, 1].into_iter().map(|index| part("7", index, 3).send_later(bridge.address)).collect();
    let aggregate = bridge.sent(1)?;
    bridge::has(
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
    bridge::is_json(&aggregate, &json!([{"n": 0}, {"n": 1}, {"n": 2}]))?;
    for caller in callers {
        is(&answer(caller)?, 202, "")?;
    }
    Ok(())
}
