//! What a full broker does: shares, waiting, all or nothing.

use kit::{Example, Gate, Reply, Sink, eventually};
use serde_json::json;

use crate::{
    Outcome, answer_by_path, event, expect, first_event, ids, numbered, start, trigger, wait_for_ids,
};

/// A share of one event, and senders wait no time to speak of.
const SMALL: [(&str, &str); 2] = [("MEMORY_BUFFER_SIZE", "4"), ("MEMORY_PRODUCE_TIMEOUT", "PT0.05S")];

#[test]
fn a_trigger_over_its_share_refuses_only_what_it_wants() -> Outcome {
    let (sink, gate) = (Sink::start()?, Gate::new());
    answer_by_path(&sink, vec![("/slow", Reply::status(202).held(&gate))]);
    let triggers = json!({
        "slow": trigger("a", &sink.url("/slow"), json!({})),
        "quick": trigger("b", &sink.url("/quick"), json!({})),
        "both": {"filters": [{"any": [{"exact": {"type": "a"}}, {"exact": {"type": "b"}}]}], "target": {"url": sink.url("/both")}},
    });
    let broker = start(triggers, &SMALL)?;
    broker.accept("a", 1)?;
    wait_for_ids(&sink, "/both", 1)?;
    let refused = broker.post("a", 2)?;
    refused.expect(429)?;
    expect(refused.headers.get("retry-after"), Some("1"), "when to come back")?;
    for number in 3..6 {
        // The one before has its place until its answer has come back.
        eventually("accepted", || broker.post("b", number).ok().filter(|answer| answer.status == 200))?;
        wait_for_ids(&sink, "/quick", number as usize - 2)?;
        wait_for_ids(&sink, "/both", number as usize - 1)?;
    }
    expect(ids(&sink, "/both").contains(&"kit-2".to_owned()), false, "all or nothing")?;
    gate.open();
    eventually("room again", || broker.post("a", 7).ok().filter(|answer| answer.status == 200))?;
    wait_for_ids(&sink, "/slow", 2)?;
    expect(ids(&sink, "/slow"), numbered([1, 7]), "what was accepted")
}

#[test]
fn over_its_share_a_dead_letter_takes_the_event() -> Outcome {
    let (sink, gate) = (Sink::start()?, Gate::new());
    answer_by_path(&sink, vec![("/slow", Reply::status(202).held(&gate))]);
    let triggers = json!({
        "slow": trigger("a", &sink.url("/slow"), json!({"deadLetterURL": sink.url("/dead")})),
        "other": trigger("a", &sink.url("/other"), json!({})),
    });
    let broker = start(triggers, &SMALL)?;
    broker.accept("a", 1)?;
    wait_for_ids(&sink, "/other", 1)?;
    eventually("accepted", || broker.post("a", 2).ok().filter(|answer| answer.status == 200))?;
    let dead = first_event(&sink, "/dead")?;
    expect(dead.get("id"), "kit-2", "the second")?;
    expect(dead.get("knativeerrorcode"), "429", "why")?;
    wait_for_ids(&sink, "/other", 2)?;

    // A dead letter that refuses: the sender keeps the event.
    answer_by_path(&sink, vec![("/slow", Reply::status(202).held(&gate)), ("/dead", Reply::status(503))]);
    let refused = broker.post("a", 3)?;
    refused.expect(429)?;
    expect(ids(&sink, "/other").contains(&"kit-3".to_owned()), false, "all or nothing")?;
    gate.open();
    Ok(())
}

#[test]
fn a_sender_waits_until_there_is_room() -> Outcome {
    for threads in ["1", "4"] {
        let (sink, gate) = (Sink::start()?, Gate::new());
        answer_by_path(&sink, vec![("/slow", Reply::status(202).held(&gate))]);
        let triggers = json!({
            "slow": trigger("a", &sink.url("/slow"), json!({})),
            "quick": trigger("a", &sink.url("/quick"), json!({})),
        });
        let settings =
            [("MEMORY_BUFFER_SIZE", "8"), ("MEMORY_PRODUCE_TIMEOUT", "1m"), ("WORKER_THREADS", threads)];
        let broker = start(triggers, &settings)?;
        broker.accept("a", 0)?;
        let waiting: Vec<_> = (1..40).map(|number| event("a", number).send_later(broker.address)).collect();
        gate.open();
        for answer in waiting {
            let answer = kit::answer(answer)?;
            answer.expect(200)?;
        }
        wait_for_ids(&sink, "/slow", 40)?;
        wait_for_ids(&sink, "/quick", 40)?;
    }
    Ok(())
}

#[test]
fn bytes_count_as_well() -> Outcome {
    let (sink, gate) = (Sink::start()?, Gate::new());
    answer_by_path(&sink, vec![("/in", Reply::status(202).held(&gate))]);
    let triggers = json!({"t": trigger("a", &sink.url("/in"), json!({}))});
    let broker = start(triggers, &[("MEMORY_BUFFER_BYTES", "65536"), ("MEMORY_PRODUCE_TIMEOUT", "50ms")])?;
    let send = |number: u64, bytes: usize| {
        broker.send(&Example::new("a", "text/plain", vec![b'x'; bytes]).binary(number))
    };
    let large = send(1, 20_000)?;
    expect(large.status, 413, "more than a share")?;
    expect(send(2, 10_000)?.status, 200, "within a share")?;
    expect(send(3, 10_000)?.status, 429, "more than is left of it")?;
    expect(send(4, 1_000)?.status, 200, "what is left of it")?;
    gate.open();
    wait_for_ids(&sink, "/in", 2)?;
    Ok(())
}
