//! Examples with brokers whose events outlive the bridge, and with more than one, run for real.

use kit::{Failure, Reply, Sink, ensure};
use peers::{Kafka, Redis};
use serde_json::json;

use crate::Named;
use crate::examples::{example, is_shown, send, shown, text};
use crate::up::{Up, replace};
use crate::watch::Watching;

pub const TRIALS: &[Named] = &[
    ("redis-broker: events outlive the bridge", redis_broker),
    ("kafka-broker: events outlive the bridge, and dead letters are delivered by trestle dlq", kafka_broker),
    ("two-brokers: the first lets through to the second what is known", two_brokers),
];

fn two_brokers() -> Result<(), Failure> {
    let mut up = example("two-brokers")?;
    send(&up, "gate", "com.example.unheard-of", r#"{"order": 4711}"#)?;
    send(&up, "gate", "com.example.order.refunded", r#"{"order": 4712}"#)?;
    send(&up, "partners", "any", r#"{"order": 4713}"#)?;
    for (display, event_type, order) in [
        ("quarantine", "com.example.unheard-of", "4711"),
        ("audit", "com.example.order.refunded", "4712"),
        ("audit", "com.example.order.placed", "4713"),
        ("billing", "com.example.order.placed", "4713"),
    ] {
        shown(&mut up, display, event_type, order)?;
    }
    let is_astray = [("audit", "4711"), ("billing", "4712"), ("quarantine", "4713")];
    let is_astray = is_astray.iter().any(|(display, order)| is_shown(&up, display, order));
    ensure(!is_astray, || up.screen())
}

fn redis_broker() -> Result<(), Failure> {
    let redis = Redis::start()?;
    let manifest = text("redis-broker")?.replace("redis.example.com:6379", &redis.address().to_string());
    let manifest = replace(&manifest, "the-password-of-redis", Redis::PASSWORD)?;
    {
        let mut up = Up::ready(&manifest)?;
        send(&up, "shop", "any", r#"{"order": 4711}"#)?;
        send(&up, "orders", "com.example.order.lost", r#"{"order": 4712}"#)?;
        shown(&mut up, "shipping", "com.example.order.placed", "4711")?;
        shown(&mut up, "ledger", "com.example.order.lost", "4712")?;
        let dead = kit::eventually("a dead letter", || {
            let answer = kit::Request::get("/dlq").send(up.address("orders").ok()?).ok()?;
            let listing: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
            listing["entries"].get(0).cloned()
        })?;
        let found = (&dead["trigger"], &dead["event"]["type"]);
        ensure(found == (&json!("to-nobody"), &json!("com.example.order.lost")), || dead.to_string())?;
        ensure(!up.screen().contains(Redis::PASSWORD), || up.screen())?;
        looked_on(&up, &redis)?;
    }
    // What came before there was anybody to take it.
    let manifest = manifest.replace("name: to-ledger", "name: to-new-ledger");
    let mut up = Up::ready(&manifest)?;
    shown(&mut up, "ledger", "com.example.order.placed", "4711")
}

/// Who watches has a place in the stream, which is gone with him.
fn looked_on(up: &Up, redis: &Redis) -> Result<(), Failure> {
    let groups = || redis.ask(&["XINFO", "GROUPS", "orders"]).unwrap_or_default().to_string();
    let has_place = || groups().contains("trestle watch");
    let watching = Watching::start(up, &[])?;
    kit::eventually("a place for who watches", || has_place().then_some(()))?;
    send(up, "orders", "com.example.note", "{}")?;
    watching.line("com.example.note")?;
    drop(watching);
    kit::eventually("no place any more", || (!has_place()).then_some(()))
}

fn kafka_broker() -> Result<(), Failure> {
    let (kafka, billing) = (Kafka::start()?, Sink::start()?);
    billing.always(Reply::status(422).body("no such account"));
    let manifest = text("kafka-broker")?.replace("kafka.example.com:9092", &kafka.sasl_plaintext());
    let manifest = replace(&manifest, "the-password-of-alice", Kafka::PASSWORD)?;
    let manifest = replace(&manifest, "http://127.0.0.1:9/nobody-listens-here", &billing.url("/bills"))?;
    let mut up = Up::ready(&manifest)?;
    send(&up, "shop", "any", r#"{"order": 4711}"#)?;
    shown(&mut up, "shipping", "com.example.order.placed", "4711")?;
    for number in [1, 2, 3] {
        send(&up, "orders", "com.example.bill", &format!(r#"{{"bill": {number}}}"#))?;
    }
    let listing = kit::eventually("dead letters", || {
        let (text, _) = up.run(&["dlq", "list", "--output", "json"]).ok()?;
        let listing: serde_json::Value = serde_json::from_str(&text).ok()?;
        (listing["entries"].as_array()?.len() == 3).then_some(listing)
    })?;
    let id = listing["entries"][0]["id"].as_str().ok_or("no id")?;
    let run = |arguments: &[&str], good: bool, expected: &str| {
        let (text, is_good) = up.run(&[&["dlq"], arguments].concat())?;
        ensure(is_good == good && text.contains(expected), || format!("{arguments:?}: {text}"))
    };
    run(&["list", "--trigger", "to-billing"], true, "no such account")?;
    run(&["list", "--trigger", "to-ledger"], true, "no dead letters")?;
    run(&["show", id], true, "com.example.bill")?;
    run(&["list", "--to", "shipping"], false, "is no broker")?;
    run(&["replay", id], false, "answered 422")?;
    run(&["delete", id], true, "1 deleted")?;
    run(&["replay", id], false, "there is no such dead letter")?;
    billing.always(Reply::status(202));
    let before = billing.count();
    run(&["replay", "--all", "--trigger", "to-billing"], true, "2 delivered")?;
    ensure(billing.count() == before + 2, || format!("{} after {before}", billing.count()))?;
    run(&["list"], true, "no dead letters")?;
    drop(up);
    // What came before there was anybody to take it.
    let manifest = manifest.replace("name: to-ledger", "name: to-new-ledger");
    let mut up = Up::ready(&manifest)?;
    shown(&mut up, "ledger", "com.example.order.placed", "4711")?;
    ensure(!up.screen().contains(Kafka::PASSWORD), || up.screen())
}
