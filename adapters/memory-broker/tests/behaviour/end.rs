//! SIGTERM: what is held is delivered, given to the dead letter, or said to be lost.

use kit::{Gate, Reply, Sink};
use serde_json::json;

use crate::{Outcome, answer_by_path, expect, ids, numbered, start, trigger, wait_for_ids};

#[test]
fn what_is_held_is_delivered_before_the_end() -> Outcome {
    let (sink, gate) = (Sink::start()?, Gate::new());
    answer_by_path(&sink, vec![("/in", Reply::status(202).held(&gate))]);
    let triggers = json!({"t": trigger("a", &sink.url("/in"), json!({"concurrency": 3}))});
    let mut broker = start(triggers, &[])?;
    for number in 0..20 {
        broker.accept("a", number)?;
    }
    broker.process.terminate()?;
    broker.process.wait_for_line("stopping")?;
    gate.open();
    expect(broker.process.wait()?, 0, "a clean end")?;
    expect(ids(&sink, "/in").len(), 20, "all are delivered")
}

#[test]
fn what_cannot_be_delivered_in_time_goes_to_the_dead_letter_or_is_lost() -> Outcome {
    let sink = Sink::start()?;
    answer_by_path(
        &sink,
        vec![
            ("/hangs", Reply::hang()),
            ("/fails", Reply::status(503)),
            ("/refuses", Reply::status(400)),
            ("/hangs/too", Reply::hang()),
        ],
    );
    let dead = json!({"concurrency": 1, "deadLetterURL": sink.url("/dead")});
    let patient = json!({"retry": 9, "backoffPolicy": "constant", "backoffDelay": "PT1H"});
    let triggers = json!({
        "saved": trigger("a", &sink.url("/hangs"), dead),
        "gone": trigger("b", &sink.url("/fails"), patient),
        "stuck": trigger("c", &sink.url("/refuses"), json!({"deadLetterURL": sink.url("/hangs/too")})),
    });
    let mut broker = start(triggers, &[])?;
    for number in 0..3 {
        broker.accept("a", number)?;
    }
    for number in 3..5 {
        broker.accept("b", number)?;
    }
    broker.accept("c", 5)?;
    wait_for_ids(&sink, "/fails", 2)?;
    wait_for_ids(&sink, "/hangs/too", 1)?;
    wait_for_ids(&sink, "/hangs", 1)?;
    broker.process.terminate()?;
    expect(broker.process.wait()?, 1, "something was lost")?;
    let mut saved = ids(&sink, "/dead");
    saved.sort();
    expect(saved, numbered(0..3), "one dead-letter attempt each")?;
    let mut lost: Vec<_> = broker.lost().iter().map(|line| line.field("id").to_owned()).collect();
    lost.sort();
    expect(lost, numbered(3..6), "one line each")
}
