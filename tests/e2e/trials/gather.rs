//! What was split becomes one again.

use kit::trials::Named;
use kit::{Adapter, Example, Failure, Sink, ensure};
use serde_json::{Value, json};

use crate::examples::{example, send, shown};

pub const TRIALS: &[Named] = &[
    ("split-and-aggregate: an order becomes items, and they a bill", bill),
    ("a splitter and an aggregator need no more than each other", alone),
    ("a trigger of few events at once, and many groups", few_at_once),
];

fn bill() -> Result<(), Failure> {
    let mut up = example("split-and-aggregate")?;
    let items = r#"[{"sku": "A-1", "count": 3, "each": 250}, {"sku": "B-2", "count": 1, "each": 1999}]"#;
    send(&up, "shop", "any", &format!(r#"{{"order": 4711, "items": {items}}}"#))?;
    shown(&mut up, "till", "com.example.order.priced", "\"total\": 2749")
}

fn aggregator(sink: &Sink) -> Result<Adapter, Failure> {
    let settings = [
        ("K_SINK", &*sink.url("/")),
        ("AGGREGATOR_CE_TYPE", "com.example.whole"),
        ("AGGREGATOR_CE_SOURCE", "/aggregator"),
    ];
    Adapter::ready("aggregator", &settings)
}

fn splitter(sink: &str, more: &[(&str, &str)]) -> Result<Adapter, Failure> {
    let base = [
        ("K_SINK", sink),
        ("SPLITTER_PATH", "items"),
        ("SPLITTER_CE_TYPE", "com.example.part"),
        ("SPLITTER_CE_SOURCE", "/splitter"),
        ("SPLITTER_NUMBER_PARTS", "true"),
    ];
    Adapter::ready("splitter", &[&base, more].concat())
}

fn alone() -> Result<(), Failure> {
    for more in [[("SPLITTER_CONCURRENCY", "8")], [("SPLITTER_BATCH", "true")]] {
        let sink = Sink::start()?;
        let aggregator = aggregator(&sink)?;
        let splitter = splitter(&aggregator.url("/"), &more)?;
        for (number, items) in [json!([1, "two", {"three": 3.5}]), json!(["alone"])].iter().enumerate() {
            let order = Example::json("com.example.order", &json!({ "items": items }));
            let answer = splitter.send(&order.binary(number as u64))?;
            ensure(answer.is_success(), || format!("{} {}", answer.status, answer.text()))?;
            let event = sink.requests().last().ok_or("nothing came")?.event()?;
            ensure(event.json() == *items, || format!("{event:?}"))?;
            let of = (event.get("splitsource"), event.get("splitid"));
            ensure(of == ("/kit", &format!("kit-{number}")), || format!("{event:?}"))?;
        }
    }
    Ok(())
}

/// Because the parts of an event stand together, room for those of one event is enough.
fn few_at_once() -> Result<(), Failure> {
    const PARTS: usize = 6;
    const ORDERS: u64 = 40;
    let sink = Sink::start()?;
    let aggregator = aggregator(&sink)?;
    let options = json!({"retry": 3, "concurrency": PARTS});
    let trigger = json!({"target": {"url": aggregator.url("/")}, "deliveryOptions": options});
    let document = json!({"triggers": {"parts": trigger}}).to_string();
    let broker = Adapter::ready("memory-broker", &[("BROKER_CONFIG", &*document), ("WORKER_THREADS", "1")])?;
    let splitter = splitter(&broker.url("/"), &[("SPLITTER_BATCH", "true")])?;
    let items: Vec<Value> = (0..PARTS).map(|item| json!(item)).collect();
    let order = Example::json("com.example.order", &json!({ "items": items }));
    let callers: Vec<_> =
        (0..ORDERS).map(|number| order.binary(number).send_later(splitter.address)).collect();
    for caller in callers {
        let answer = kit::answer(caller)?;
        ensure(answer.is_success(), || format!("{} {}", answer.status, answer.text()))?;
    }
    for request in sink.wait_for(ORDERS as usize)? {
        let event = request.event()?;
        ensure(event.json() == json!(items), || format!("{event:?}"))?;
    }
    Ok(())
}
