//! The end of the process, in peace and by force.

use kit::{Gate, Reply, ensure};
use serde_json::json;

use crate::bridge::{Bridge, Outcome, are, is, is_json, part};

/// The line that says that no part is taken any more.
const CLOSED: &str = "groups that are not complete are given up before the end";

#[test]
fn who_waits_is_told_to_come_again_and_what_is_sent_is_finished() -> Outcome {
    let mut bridge = Bridge::start(&[])?;
    let gate = Gate::new();
    bridge.sink.always(Reply::status(202).held(&gate));
    let sent = [0, 1].map(|index| bridge.call(&part("7", index, 2)));
    bridge.sink.wait_for(1)?;
    let waits = [0, 1].map(|index| bridge.call(&part("8", index, 3)));
    bridge.waits(4)?;
    bridge.adapter.process.terminate()?;
    bridge.adapter.process.wait_for_line(CLOSED)?;
    are(waits, 503, "the process ends before the group is complete")?;
    gate.open();
    are(sent, 202, "")?;
    let code = bridge.adapter.process.wait()?;
    ensure(code == 0, || format!("exit code {code}: {}", bridge.adapter.process.output()))
}

#[test]
fn while_it_drains_groups_become_complete() -> Outcome {
    let mut bridge = Bridge::start(&[("DRAIN_SECONDS", "5")])?;
    let first = bridge.call(&part("7", 0, 2));
    bridge.waits(1)?;
    bridge.adapter.process.terminate()?;
    bridge.adapter.process.wait_for_line("stopping")?;
    is(&bridge.send(&part("7", 1, 2))?, 202, "")?;
    is(&kit::answer(first)?, 202, "")
}

#[test]
fn a_kill_loses_nothing() -> Outcome {
    let bridge = Bridge::start(&[])?;
    let callers = [0, 1].map(|index| bridge.call(&part("7", index, 3)));
    bridge.waits(2)?;
    let Bridge { adapter, sink } = bridge;
    // SIGKILL.
    drop(adapter);
    for caller in callers {
        ensure(kit::answer(caller).is_err(), || "a part was acknowledged".to_owned())?;
    }
    let next = Bridge::start(&[("K_SINK", &sink.url("/"))])?;
    are([2, 0, 1].map(|index| next.call(&part("7", index, 3))), 202, "")?;
    is_json(&sink.requests()[0].event()?, &json!([{"n": 0}, {"n": 1}, {"n": 2}]))
}

#[test]
fn a_file_tells_the_next_process_what_was_delivered() -> Outcome {
    let folder = kit::Folder::new()?;
    let file = folder.path().join("delivered").display().to_string();
    let remembered = ("AGGREGATOR_REMEMBERED_FILE", &*file);
    let bridge = Bridge::start(&[remembered])?;
    are([0, 1].map(|index| bridge.call(&part("7", index, 2))), 202, "")?;
    // SIGKILL, before one of them has read its answer, as it were.
    drop(bridge);
    let next = Bridge::start(&[remembered])?;
    is(&next.send(&part("7", 1, 2))?, 202, "")?;
    ensure(next.sink.count() == 0, || "it was sent again".to_owned())?;

    let settings = [
        ("K_SINK", "http://127.0.0.1:9/"),
        ("AGGREGATOR_CE_TYPE", "whole"),
        ("AGGREGATOR_CE_SOURCE", "/"),
        ("AGGREGATOR_REMEMBERED_FILE", "/nowhere/delivered"),
    ];
    let mut process = kit::Process::start("aggregator", &[], &settings)?;
    let code = process.wait()?;
    let told = process.output().contains("AGGREGATOR_REMEMBERED_FILE cannot be read and written");
    ensure(code == 78 && told, || process.output())
}
