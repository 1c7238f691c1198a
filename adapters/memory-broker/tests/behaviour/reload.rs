//! The document changes while events are on their way.

use kit::{Gate, Process, Reply, Sink, eventually};
use serde_json::json;

use crate::{
    Outcome, answer_by_path, event, expect, ids, numbered, start, start_with, trigger, wait_for_ids,
};

#[test]
fn filters_and_triggers_change_for_later_events() -> Outcome {
    let sink = Sink::start()?;
    let broker = start(json!({"t": trigger("a", &sink.url("/1"), json!({}))}), &[])?;
    broker.accept("a", 1)?;
    wait_for_ids(&sink, "/1", 1)?;
    broker.reload(&json!({
        "t": trigger("b", &sink.url("/1"), json!({})),
        "new": trigger("a", &sink.url("/2"), json!({})),
    }))?;
    broker.accept("a", 2)?;
    broker.accept("b", 3)?;
    expect(wait_for_ids(&sink, "/1", 2)?, numbered([1, 3]), "the new filter")?;
    expect(wait_for_ids(&sink, "/2", 1)?, numbered([2]), "the new trigger")
}

#[test]
fn a_new_target_counts_from_the_next_try() -> Outcome {
    let sink = Sink::start()?;
    answer_by_path(&sink, vec![("/bad", Reply::status(503))]);
    let options = json!({"retry": 1000, "backoffPolicy": "constant", "backoffDelay": "PT0.02S"});
    let broker = start(json!({"t": trigger("a", &sink.url("/bad"), options.clone())}), &[])?;
    broker.accept("a", 1)?;
    wait_for_ids(&sink, "/bad", 2)?;
    broker.reload(&json!({"t": trigger("a", &sink.url("/good"), options)}))?;
    expect(wait_for_ids(&sink, "/good", 1)?, numbered([1]), "the event that was under way")
}

#[test]
fn a_removed_trigger_delivers_what_it_has() -> Outcome {
    let (sink, gate) = (Sink::start()?, Gate::new());
    answer_by_path(&sink, vec![("/in", Reply::status(202).held(&gate))]);
    let broker = start(json!({"t": trigger("a", &sink.url("/in"), json!({"concurrency": 1}))}), &[])?;
    for number in 0..5 {
        broker.accept("a", number)?;
    }
    broker.reload(&json!({}))?;
    broker.accept("a", 5)?;
    gate.open();
    expect(wait_for_ids(&sink, "/in", 5)?, numbered(0..5), "in order, and nothing of later")
}

#[test]
fn a_broken_document_leaves_the_last_good_one() -> Outcome {
    let sink = Sink::start()?;
    let mut broker = start(json!({"t": trigger("a", &sink.url("/in"), json!({}))}), &[])?;
    broker
        .write("triggers:\n  orders: {filters: [{regex: {type: a}}], deliveryOptions: {retry: often}}\n")?;
    let line =
        broker.process.wait_for_line("the configuration document is unusable: the last good one stays")?;
    let reason = line.field("reason");
    for part in ["triggers.orders.filters[0]", "regex", "triggers.orders.deliveryOptions.retry"] {
        expect(reason.contains(part), true, &format!("{part} in {reason}"))?;
    }
    broker.write("")?;
    broker.accept("a", 1)?;
    wait_for_ids(&sink, "/in", 1)?;
    broker.reload(&json!({"t": trigger("a", &sink.url("/mended"), json!({}))}))?;
    broker.accept("a", 2)?;
    wait_for_ids(&sink, "/mended", 1)?;
    expect(ids(&sink, "/in").len(), 1, "only the first")
}

#[test]
fn senders_must_show_the_credentials_of_the_document() -> Outcome {
    let sink = Sink::start()?;
    let document = json!({
        "ingest": {"user": "Aladdin", "password": "open sesame"},
        "triggers": {"t": {"target": {"url": sink.url("/in")}}},
    });
    let broker = start_with(&document, &[])?;
    let with = |credentials: &str| broker.send(&event("a", 1).header("authorization", credentials));
    let refused = broker.post("a", 1)?;
    expect(refused.status, 401, "no credentials")?;
    let challenge = refused.headers.get("www-authenticate").unwrap_or_default();
    expect(challenge.starts_with("Basic realm="), true, challenge)?;
    expect(with("Basic QWxhZGRpbjpzZXNhbWU=")?.status, 401, "wrong password")?;
    expect(with("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")?.status, 200, "the right ones")?;
    wait_for_ids(&sink, "/in", 1)?;
    broker.reload(&json!({}))?;
    broker.accept("a", 2)
}

#[test]
fn polling_reads_the_file_each_period() -> Outcome {
    let sink = Sink::start()?;
    let triggers = json!({"t": trigger("a", &sink.url("/1"), json!({}))});
    let broker = start(triggers, &[("CONFIG_POLLING_PERIOD", "PT0.1S")])?;
    broker.reload(&json!({"t": trigger("a", &sink.url("/2"), json!({}))}))?;
    broker.accept("a", 1)?;
    wait_for_ids(&sink, "/2", 1)?;
    Ok(())
}

#[test]
fn a_document_that_cannot_be_used_ends_the_start_with_78() -> Outcome {
    let table = [
        (vec![("BROKER_CONFIG_PATH", "/nowhere/broker.conf")], "BROKER_CONFIG_PATH"),
        (vec![("BROKER_CONFIG", "triggers: {orders: {target: {url: x}}}")], "triggers.orders.target.url"),
        (vec![("BROKER_CONFIG", "{}"), ("BROKER_CONFIG_PATH", "/etc/hostname")], "BROKER_CONFIG"),
        (
            vec![("KUBERNETES_BROKER_CONFIG_SECRET_NAME", "config"), ("BROKER_CONFIG", "{}")],
            "KUBERNETES_BROKER_CONFIG_SECRET_NAME",
        ),
    ];
    for (settings, named) in table {
        let mut process = Process::start("memory-broker", &[], &settings)?;
        expect(process.wait()?, 78, named)?;
        let said =
            eventually("the reason", || Some(process.output()).filter(|text| text.contains("problems")))?;
        expect(said.contains(named), true, &said)?;
    }
    Ok(())
}
