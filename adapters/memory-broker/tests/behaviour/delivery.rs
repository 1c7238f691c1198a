//! Tries, dead letters, filters, and triggers that do not stand in each other's way.

use kit::{Gate, Reply, Sink, eventually};
use serde_json::json;

use crate::{
    Outcome, answer_by_path, event, expect, first_event, ids, numbered, start, trigger, wait_for_ids,
};

#[test]
fn a_transient_failure_is_tried_again_with_the_same_event() -> Outcome {
    let sink = Sink::start()?;
    sink.script([Reply::status(503), Reply::close(), Reply::status(500), Reply::status(404)]);
    let options = json!({"retry": 4, "backoffPolicy": "constant", "backoffDelay": "PT0.01S"});
    let broker = start(json!({"t": trigger("a", &sink.url("/in"), options)}), &[])?;
    broker.accept("a", 7)?;
    let requests = sink.wait_for(5)?;
    for request in &requests {
        let event = request.event()?;
        expect(event.get("id"), "kit-7", "the id stays")?;
        expect(event.json(), json!({"number": 7}), "the data stays")?;
        expect(request.headers.get("prefer"), Some("reply"), "replies are wanted")?;
    }
    expect(sink.count(), 5, "one try and four more")
}

#[test]
fn tries_that_are_used_up_end_in_the_dead_letter() -> Outcome {
    for (reply, code, data) in [
        // An error with an empty body: the original took it for success.
        (Reply::status(500), "500", ""),
        (Reply::status(503).body("down"), "503", "ZG93bg=="),
        // A body that is no event is a failed delivery too.
        (Reply::status(200).header("content-type", "text/plain").body("OK"), "200", "T0s="),
        (Reply::status(302).header("location", "/elsewhere"), "302", ""),
    ] {
        let sink = Sink::start()?;
        answer_by_path(&sink, vec![("/in", reply)]);
        let options = json!({"retry": 2, "backoffDelay": "PT0.01S", "deadLetterURL": sink.url("/dead")});
        let broker = start(json!({"t": trigger("a", &sink.url("/in"), options)}), &[])?;
        broker.accept("a", 1)?;
        let dead = first_event(&sink, "/dead")?;
        expect(ids(&sink, "/in").len(), 3, "one try and two more")?;
        expect(dead.get("id"), "kit-1", "the same event")?;
        expect(dead.json(), json!({"number": 1}), "the same data")?;
        expect(dead.get("knativeerrordest"), sink.url("/in").as_str(), "the failed target")?;
        expect(dead.get("knativeerrorcode"), code, "the last status")?;
        expect(dead.get("knativeerrordata"), data, "the last body")?;
    }
    Ok(())
}

#[test]
fn what_the_event_itself_is_to_blame_for_is_not_tried_again() -> Outcome {
    for status in [400, 413, 415, 422] {
        let sink = Sink::start()?;
        answer_by_path(&sink, vec![("/in", Reply::status(status))]);
        let options = json!({"retry": 5, "deadLetterURL": sink.url("/dead")});
        let broker = start(json!({"t": trigger("a", &sink.url("/in"), options)}), &[])?;
        broker.accept("a", 1)?;
        let dead = first_event(&sink, "/dead")?;
        expect(dead.get("knativeerrorcode"), status.to_string().as_str(), "the status")?;
        expect(ids(&sink, "/in").len(), 1, "one try")?;
    }
    Ok(())
}

#[test]
fn no_answer_and_no_target_end_in_the_dead_letter() -> Outcome {
    let (sink, nobody) = (Sink::start()?, Sink::refusing()?);
    let options = json!({"deadLetterURL": sink.url("/dead")});
    let triggers = json!({
        "refused": trigger("a", &nobody.url("/"), options.clone()),
        "unknown": trigger("b", "", options),
    });
    let broker = start(triggers, &[])?;
    broker.accept("a", 1)?;
    let dead = first_event(&sink, "/dead")?;
    expect(dead.get("knativeerrorcode"), "500", "as Knative has it")?;
    expect(dead.get("knativeerrordata").is_empty(), false, "what happened")?;
    broker.accept("b", 2)?;
    wait_for_ids(&sink, "/dead", 2)?;
    expect(broker.lost().len(), 0, "nothing is lost")
}

#[test]
fn an_event_that_nobody_takes_is_said_to_be_lost() -> Outcome {
    let sink = Sink::start()?;
    sink.always(Reply::status(500));
    let triggers = json!({
        "without": trigger("a", &sink.url("/in"), json!({})),
        "with": trigger("b", &sink.url("/in"), json!({"deadLetterURL": sink.url("/dead")})),
    });
    let broker = start(triggers, &[])?;
    broker.accept("a", 1)?;
    broker.accept("b", 2)?;
    let lost = eventually("two lines", || Some(broker.lost()).filter(|lines| lines.len() == 2))?;
    for line in lost {
        let (name, id, kind) = (line.field("trigger"), line.field("id"), line.field("type"));
        let known = matches!((name, id, kind), ("without", "kit-1", "a") | ("with", "kit-2", "b"));
        expect(known, true, &line.text)?;
        expect(line.field("source"), "/kit", &line.text)?;
        expect(line.field("message"), "Event was lost", &line.text)?;
    }
    expect(ids(&sink, "/dead").len(), 1, "one attempt")
}

#[test]
fn every_dialect_chooses() -> Outcome {
    let sink = Sink::start()?;
    let filters = [
        json!({"exact": {"type": "order.paid"}}),
        json!({"prefix": {"type": "order."}}),
        json!({"suffix": {"type": ".paid"}}),
        json!({"all": [{"prefix": {"type": "order."}}, {"suffix": {"type": ".paid"}}]}),
        json!({"any": [{"exact": {"type": "x"}}, {"exact": {"type": "order.paid"}}]}),
        json!({"not": {"exact": {"type": "cart.left"}}}),
        json!({"not": [{"exact": {"type": "cart.left"}}]}),
        json!({"cesql": "type LIKE 'order.%' AND EXISTS id"}),
    ];
    let triggers: serde_json::Map<_, _> = filters
        .iter()
        .enumerate()
        .map(|(n, filter)| {
            (format!("t{n}"), json!({"filters": [filter], "target": {"url": sink.url(&format!("/{n}"))}}))
        })
        .collect();
    let broker = start(triggers.into(), &[])?;
    broker.accept("cart.left", 1)?;
    broker.accept("order.paid", 2)?;
    sink.wait_for(filters.len())?;
    for (n, filter) in filters.iter().enumerate() {
        expect(wait_for_ids(&sink, &format!("/{n}"), 1)?, numbered([2]), &filter.to_string())?;
    }
    Ok(())
}

#[test]
fn a_trigger_that_hangs_holds_up_no_other() -> Outcome {
    let sink = Sink::start()?;
    let gate = Gate::new();
    answer_by_path(&sink, vec![("/slow", Reply::status(202).held(&gate))]);
    let triggers = json!({
        "slow": {"target": {"url": sink.url("/slow")}, "deliveryOptions": {"concurrency": 2}},
        "quick": {"target": {"url": sink.url("/quick")}},
    });
    let broker = start(triggers, &[])?;
    for number in 0..50 {
        broker.accept("a", number)?;
    }
    wait_for_ids(&sink, "/quick", 50)?;
    wait_for_ids(&sink, "/slow", 2)?;
    expect(ids(&sink, "/slow").len(), 2, "no more than its concurrency")?;
    gate.open();
    wait_for_ids(&sink, "/slow", 50)?;
    Ok(())
}

#[test]
fn what_waits_for_another_try_lets_others_pass_unless_there_is_one_at_a_time() -> Outcome {
    let sink = Sink::start()?;
    sink.route(|request| {
        // Even ones fail.
        let number = request.event().ok()?.json()["number"].as_u64()?;
        (number % 2 == 0).then(|| Reply::status(503))
    });
    let options = |concurrency| json!({"retry": 3, "backoffPolicy": "constant", "backoffDelay": "PT60S", "concurrency": concurrency});
    let (many, one) = (sink.url("/many"), sink.url("/one"));
    let triggers = json!({
        "many": {"target": {"url": many}, "deliveryOptions": options(2)},
        "one": {"target": {"url": one}, "deliveryOptions": options(1)},
    });
    let broker = start(triggers, &[])?;
    for number in 0..20 {
        broker.accept("a", number)?;
    }
    wait_for_ids(&sink, "/many", 20)?;
    expect(wait_for_ids(&sink, "/one", 1)?, numbered(0..1), "nothing overtakes")
}

#[test]
fn events_of_one_key_go_one_after_the_other() -> Outcome {
    let sink = Sink::start()?;
    let gate = Gate::new();
    let held = gate.clone();
    sink.route(move |request| {
        let event = request.event().ok()?;
        (event.get("id") == "kit-0").then(|| Reply::status(202).held(&held))
    });
    let broker = start(json!({"t": trigger("a", &sink.url("/in"), json!({"orderBy": "customer"}))}), &[])?;
    for number in 0..9 {
        let customer = if number % 2 == 0 { "even" } else { "odd" };
        let answer = broker.send(&event("a", number).header("ce-customer", customer))?;
        expect(answer.status, 200, "accepted")?;
    }
    // All the odd ones pass the even one that is held, and no other even one does.
    let early = wait_for_ids(&sink, "/in", 5)?;
    let odd = ["kit-1", "kit-3", "kit-5", "kit-7"];
    expect(early.iter().filter(|id| odd.contains(&id.as_str())).count(), 4, "the other key goes on")?;
    gate.open();
    let all = wait_for_ids(&sink, "/in", 9)?;
    let even: Vec<_> = all.iter().map(String::as_str).filter(|id| !odd.contains(id)).collect();
    expect(even, vec!["kit-0", "kit-2", "kit-4", "kit-6", "kit-8"], "in order")
}

#[test]
fn what_happens_is_counted() -> Outcome {
    let sink = Sink::start()?;
    answer_by_path(&sink, vec![("/bad", Reply::status(400)), ("/lost", Reply::status(400))]);
    let triggers = json!({
        "good": trigger("a", &sink.url("/good"), json!({})),
        "bad": trigger("b", &sink.url("/bad"), json!({"deadLetterURL": sink.url("/dead")})),
        "lost": trigger("c", &sink.url("/lost"), json!({})),
    });
    let broker = start(triggers, &[("BROKER_NAME", "kitchen")])?;
    for (number, event_type) in (0..).zip(["a", "b", "c", "nobody"]) {
        broker.accept(event_type, number)?;
    }
    let wanted = [
        "broker_ingest_event_count{broker_name=\"kitchen\",ingested=\"true\",received_type=\"a\"} 1",
        "broker_ingest_unmatched_count{broker_name=\"kitchen\"} 1",
        "broker_trigger_event_count{broker_name=\"kitchen\",delivered=\"true\",sent_type=\"a\",trigger_name=\"good\"} 1",
        "broker_trigger_event_count{broker_name=\"kitchen\",delivered=\"false\",sent_type=\"b\",trigger_name=\"bad\"} 1",
        "broker_trigger_dead_lettered_count{broker_name=\"kitchen\",trigger_name=\"bad\"} 1",
        "broker_event_lost_count{broker_name=\"kitchen\",trigger_name=\"lost\"} 1",
        "broker_events_held{broker_name=\"kitchen\",trigger_name=\"good\"} 0",
    ];
    eventually("all of it in the metrics", || {
        let text = broker.process.metrics().ok()?;
        wanted.iter().all(|line| text.contains(line)).then_some(())
    })
}

#[test]
fn what_was_lost_can_be_looked_at_and_delivered_again() -> Outcome {
    let sink = Sink::start()?;
    answer_by_path(&sink, vec![("/in", Reply::status(400).body("no such order"))]);
    let triggers = json!({"t": trigger("a", &sink.url("/in"), json!({}))});
    let broker = start(triggers, &[])?;
    broker.accept("a", 1)?;
    let entry = broker.dead_letters(1)?["entries"][0].take();
    let said = ["id", "trigger", "error"].map(|name| entry[name].as_str().unwrap_or_default().to_owned());
    expect(said, ["1", "t", "no such order"].map(str::to_owned), "what is said of it")?;
    expect(broker.page("POST", "/dlq/1/replay")?.status, 502, "refused again")?;
    answer_by_path(&sink, vec![]);
    expect(broker.page("POST", "/dlq/1/replay")?.status, 200, "taken")?;
    expect(ids(&sink, "/in"), numbered([1, 1, 1]), "the same event")?;
    expect(broker.get("/dlq/1")?.status, 404, "it is no longer there")
}
