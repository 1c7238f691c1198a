//! Events on their way: into the topic, past filters, to targets, and back in as replies.

use kit::{Example, Reply, Sink, eventually};
use peers::Kafka;
use serde_json::json;

use crate::{
    Named, Outcome, answer_by_path, event, expect, expect_in_any_order, ids, lag, numbered, settled, start,
    topic, trigger, wait_for_ids,
};

pub const TRIALS: &[Named] = &[
    ("an event is a record: the event as JSON, its key, hops and trace beside it", record),
    ("each trigger has its own place", places),
    ("events of one key keep their order", order),
    ("replies come back in, and a circle of them ends", replies),
    ("what is in work at the end is finished, the rest is for the next process", end),
    ("triggers come, go and come back", reload),
    ("a record that is no event is a dead letter", invalid),
];

fn record(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, topic());
    let triggers = json!({"t": trigger("a", &sink.url("/in"), json!({}))});
    let settings = [("KAFKA_TRACKING_ID_ENABLED", "true"), ("KAFKA_TOPIC_PARTITIONS", "3")];
    let broker = start(kafka, &topic, triggers, &settings)?;
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = event("a", 1).header("ce-partitionkey", "k").header("traceparent", parent);
    expect(broker.send(&request)?.status, 200, "the keyed one")?;
    broker.accept("b", 2)?;
    wait_for_ids(&sink, "/in", 1)?;
    let records = kafka.records(&topic)?;
    let keyed = records.iter().find(|record| record.key.as_deref() == Some(b"k")).ok_or("no such key")?;
    let value = keyed.value.as_deref().unwrap_or_default();
    let written: serde_json::Value = serde_json::from_slice(value).map_err(|error| error.to_string())?;
    expect((&written["data"], &written["partitionkey"]), (&json!({"number": 1}), &json!("k")), "the event")?;
    let content_type = keyed.header_text("content-type").unwrap_or_default();
    expect(content_type.as_str(), "application/cloudevents+json; charset=UTF-8", "what it is")?;
    let trace = keyed.header_text("traceparent").unwrap_or_default();
    expect(trace.get(3..35), parent.get(3..35), "the trace")?;
    expect(records.iter().filter(|record| record.key.is_none()).count(), 1, "an event without a key")?;
    let arrived = sink.requests()[0].event()?;
    let place = format!("{}/{}", keyed.partition.unwrap_or_default(), keyed.offset);
    expect(arrived.get("triggermeshbackendid"), &*place, "the tracking id")?;
    expect(kafka.partitions(&topic)?, Some(3), "partitions")?;
    settled(kafka, &topic, "t")?;
    expect(ids(&sink, "/in"), numbered([1]), "what the filter lets pass")
}

fn places(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, topic());
    answer_by_path(&sink, vec![("/hangs", Reply::hang())]);
    let triggers = json!({
        "hangs": trigger("a", &sink.url("/hangs"), json!({})),
        "one": trigger("a", &sink.url("/one"), json!({})),
        "all": {"target": {"url": sink.url("/all")}},
    });
    let settings = [("KAFKA_TOPIC_PARTITIONS", "3"), ("BROKER_NAME", "me")];
    let broker = start(kafka, &topic, triggers, &settings)?;
    for number in 0..100 {
        broker.accept(if number % 2 == 0 { "a" } else { "b" }, number)?;
    }
    let one = wait_for_ids(&sink, "/one", 50)?;
    wait_for_ids(&sink, "/all", 100)?;
    expect_in_any_order(one, numbered((0..100).step_by(2)), "what one trigger wants")?;
    for name in ["one", "all"] {
        settled(kafka, &topic, name)?;
    }
    // What hangs, and what is behind that in its partition.
    kit::ensure(lag(kafka, &topic, "hangs")? >= 50, || "what hangs was taken for done".to_owned())?;
    let told = |start: &str| broker.process.figure(start).ok();
    eventually("the lag to be told", || {
        let lag = |name: &str| told(&format!("broker_log_lag{{broker_name=\"me\",trigger_name=\"{name}\"}}"));
        (lag("one")? == 0 && lag("hangs")? >= 50 && told("broker_log_length")? == 100).then_some(())
    })
}

fn order(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, topic());
    let options = json!({"orderBy": "partitionkey", "retry": 5, "backoffDelay": "PT0.05S"});
    let triggers = json!({"t": trigger("a", &sink.url("/in"), options)});
    let broker = start(kafka, &topic, triggers, &[("KAFKA_TOPIC_PARTITIONS", "3")])?;
    // Of each event the first try fails.
    let seen = std::sync::Mutex::new(std::collections::BTreeSet::new());
    sink.route(move |request| {
        let id = request.event().ok()?.get("id").to_owned();
        seen.lock().ok()?.insert(id).then(|| Reply::status(503))
    });
    for number in 0..60 {
        let key = format!("k{}", number % 6);
        let answer = broker.send(&event("a", number).header("ce-partitionkey", &key))?;
        answer.expect(200)?;
    }
    let arrived = wait_for_ids(&sink, "/in", 120)?;
    for key in 0..6 {
        let of_key: Vec<_> = numbered((0..60).filter(|number| number % 6 == key));
        let mut found: Vec<_> = arrived.iter().filter(|id| of_key.contains(id)).cloned().collect();
        found.dedup();
        expect(found, of_key, "the order of a key")?;
    }
    Ok(())
}

fn replies(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, topic());
    let reply = Reply::event("b", "kit-7");
    answer_by_path(&sink, vec![("/asks", reply.clone()), ("/circles", reply)]);
    let triggers = json!({
        "asks": trigger("a", &sink.url("/asks"), json!({})),
        "circles": trigger("b", &sink.url("/circles"), json!({"deadLetterURL": sink.url("/dead")})),
    });
    let broker = start(kafka, &topic, triggers, &[("BROKER_MAX_HOPS", "3")])?;
    broker.accept("a", 1)?;
    expect(wait_for_ids(&sink, "/dead", 1)?, numbered([7]), "the reply that would be one too many")?;
    expect(ids(&sink, "/circles").len(), 3, "hops")?;
    let records = kafka.records(&topic)?;
    let hops: Vec<_> = records.iter().map(|record| record.header_text("trestlehops")).collect();
    let hops: Vec<_> = hops.iter().map(|hops| hops.as_deref().unwrap_or("-")).collect();
    expect(hops, vec!["-", "1", "2", "3"], "the hops beside the events")?;
    settled(kafka, &topic, "circles")
}

fn end(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, topic());
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}, "deliveryOptions": {"concurrency": 1}}});
    let gate = kit::Gate::new();
    let held = gate.clone();
    sink.route(move |_| Some(Reply::status(202).held(&held)));
    let mut broker = start(kafka, &topic, triggers.clone(), &[])?;
    for number in 0..20 {
        broker.accept("a", number)?;
    }
    sink.wait_for(1)?;
    broker.process.terminate()?;
    gate.open();
    expect(broker.process.wait()?, 0, "nothing is lost")?;
    expect(lag(kafka, &topic, "t")?, 20 - ids(&sink, "/in").len() as i64, "what was delivered is done")?;
    let again = start(kafka, &topic, triggers, &[])?;
    again.accept("a", 20)?;
    expect(wait_for_ids(&sink, "/in", 21)?, numbered(0..21), "each once, in order")
}

fn reload(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, topic());
    let with = |names: &[&str]| {
        let triggers = names
            .iter()
            .map(|name| ((*name).to_owned(), json!({"target": {"url": sink.url(&format!("/{name}"))}})));
        serde_json::Value::Object(triggers.collect())
    };
    let broker = start(kafka, &topic, with(&["one", "two"]), &[])?;
    broker.accept("a", 0)?;
    wait_for_ids(&sink, "/one", 1)?;
    wait_for_ids(&sink, "/two", 1)?;
    settled(kafka, &topic, "two")?;
    broker.reload(&with(&["one"]))?;
    eventually("the group to be left", || {
        broker.process.log().iter().any(|line| line.field("message").contains("in force")).then_some(())
    })?;
    for number in 1..5 {
        broker.accept("a", number)?;
    }
    wait_for_ids(&sink, "/one", 5)?;
    expect(ids(&sink, "/two").len(), 1, "a trigger that is gone gets nothing")?;
    broker.reload(&with(&["one", "two"]))?;
    expect_in_any_order(wait_for_ids(&sink, "/two", 5)?, numbered(0..5), "its group has kept its place")
}

fn invalid(kafka: &Kafka) -> Outcome {
    let (sink, topic) = (Sink::start()?, topic());
    let broker = start(kafka, &topic, json!({"t": {"target": {"url": sink.url("/in")}}}), &[])?;
    kafka.produce(&topic, &[peers::Record::new("no event")])?;
    broker.send(&Example::json("a", &json!({})).binary(1))?;
    expect(wait_for_ids(&sink, "/in", 1)?, numbered([1]), "what stands behind it")?;
    let listing = eventually("a dead letter", || {
        broker.json("/dlq").ok().filter(|found| found["entries"][0].is_object())
    })?;
    let event = &listing["entries"][0]["event"];
    let about = (&event["type"], &event["id"], &event["source"]);
    let wanted = (&json!("io.trestle.broker.invalid"), &json!("0"), &json!(topic));
    expect(about, wanted, "what it was")?;
    settled(kafka, &topic, "t")
}
