//! What callers see of the splitter, and what reaches its sink: the real binary between the two.

use kit::{Adapter, Example, Failure, Gate, Reply, Request, Sink, ensure};
use serde_json::{Value, json};

type Outcome = Result<(), Failure>;

fn start(path: &str, more: &[(&str, &str)]) -> Result<Adapter, Failure> {
    let base = [
        ("SPLITTER_PATH", path),
        ("SPLITTER_CE_TYPE", "com.example.item"),
        ("SPLITTER_CE_SOURCE", "/splitter"),
        ("SPLITTER_CE_EXTENSIONS", r#"{"shop":"north"}"#),
    ];
    Adapter::listening("splitter", &[&base, more].concat())
}

fn order(items: usize) -> Example {
    let items: Vec<usize> = (0..items).collect();
    Example::json("com.example.order", &json!({ "items": items }))
}

/// Ids and data of what arrived.
fn arrived(sink: &Sink) -> Result<Vec<(String, String)>, Failure> {
    let read = |request: &kit::Captured| {
        let event = request.event()?;
        Ok((event.get("id").to_owned(), String::from_utf8_lossy(&event.data).into_owned()))
    };
    sink.requests().iter().map(read).collect()
}

fn numbered(count: usize) -> Vec<(String, String)> {
    (0..count).map(|number| (format!("kit-1-{number}"), number.to_string())).collect()
}

#[test]
fn the_parts_arrive_in_their_order() -> Outcome {
    let sink = Sink::start()?;
    let splitter = start("items", &[("K_SINK", &*sink.url("/in"))])?;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request = order(20).binary(1).header("ce-subject", "4711").header("traceparent", trace);
    let answer = splitter.send(&request)?;
    ensure(answer.status == 200 && answer.body.is_empty(), || {
        format!("{} {}", answer.status, answer.text())
    })?;
    let found = arrived(&sink)?;
    ensure(found == numbered(20), || format!("{found:?}"))?;
    for request in sink.requests() {
        let event = request.event()?;
        let attributes = (event.get("type"), event.get("source"), event.get("shop"), event.get("subject"));
        ensure(attributes == ("com.example.item", "/splitter", "north", ""), || format!("{event:?}"))?;
        let own = request.headers.get("traceparent");
        ensure(own.is_some_and(|own| own.starts_with(&trace[..36])), || format!("{own:?}"))?;
    }
    for example in [order(0), Example::json("com.example.order", &json!({"other": 1}))] {
        sink.reset();
        let answer = splitter.send(&example.binary(1))?;
        ensure(answer.status == 200 && sink.count() == 0, || format!("{} {}", answer.status, answer.text()))?;
    }
    Ok(())
}

#[test]
fn a_sink_that_fails_fails_the_whole_and_the_ids_stay() -> Outcome {
    let sink = Sink::start()?;
    let splitter = start("items", &[("K_SINK", &*sink.url("/"))])?;
    sink.script([Reply::status(202), Reply::status(202), Reply::status(500)]);
    let answer = splitter.send(&order(5).binary(1))?;
    let retry = answer.headers.get("retry-after").is_some();
    ensure(answer.status == 503 && retry, || format!("{} {}", answer.status, answer.text()))?;
    ensure(arrived(&sink)? == numbered(3), || format!("{:?}", sink.requests()))?;
    sink.reset();
    let answer = splitter.send(&order(5).binary(1))?;
    answer.expect(200)?;
    ensure(arrived(&sink)? == numbered(5), || "the same parts again, all of them".to_owned())?;
    let metrics = splitter.process.metrics()?;
    for line in [r#"splitter_parts_total{result="accepted"} 7"#, r#"splitter_parts_total{result="failed"} 1"#]
    {
        ensure(metrics.contains(line), || metrics.clone())?;
    }
    Ok(())
}

#[test]
fn a_part_that_is_refused_holds_up_no_other() -> Outcome {
    let (sink, letters) = (Sink::start()?, Sink::start()?);
    let second = |request: &kit::Captured| {
        request.event().is_ok_and(|event| event.get("id") == "kit-1-1").then(|| Reply::status(422))
    };
    sink.route(second);
    let splitter = start("items", &[("K_SINK", &*sink.url("/"))])?;
    let answer = splitter.send(&order(4).binary(1))?;
    ensure(answer.status == 422 && answer.text().contains("parts were refused: 1"), || {
        format!("{} {}", answer.status, answer.text())
    })?;
    ensure(arrived(&sink)? == numbered(4), || format!("{:?}", sink.requests()))?;
    let settings = [("K_SINK", &*sink.url("/")), ("DEAD_LETTER_SINK", &*letters.url("/"))];
    let splitter = start("items", &settings)?;
    let answer = splitter.send(&order(4).binary(1))?;
    answer.expect(200)?;
    ensure(arrived(&letters)? == [("kit-1-1".to_owned(), "1".to_owned())], || "one dead letter".to_owned())
}

#[test]
fn with_concurrency_so_many_are_on_their_way_and_no_more() -> Outcome {
    let (sink, gate) = (Sink::start()?, Gate::new());
    sink.always(Reply::status(202).held(&gate));
    let settings = [("K_SINK", &*sink.url("/")), ("SPLITTER_CONCURRENCY", "4")];
    let splitter = start("items", &settings)?;
    let waiting = order(12).binary(1).send_later(splitter.address);
    sink.wait_for(4)?;
    gate.open();
    let answer = kit::answer(waiting)?;
    answer.expect(200)?;
    let mut found = arrived(&sink)?;
    let mut first: Vec<_> = found.iter().take(4).cloned().collect();
    first.sort();
    ensure(first == numbered(4), || format!("{first:?}"))?;
    let mut all = numbered(12);
    found.sort();
    all.sort();
    ensure(found == all, || format!("{found:?}"))
}

#[test]
fn as_a_batch_all_parts_are_one_request() -> Outcome {
    let sink = Sink::start()?;
    let settings = [("K_SINK", &*sink.url("/")), ("SPLITTER_BATCH", "true")];
    let splitter = start("items", &settings)?;
    for (said, status) in [(202, 202), (422, 422), (503, 503)] {
        sink.reset();
        sink.always(Reply::status(said));
        let answer = splitter.send(&order(3).binary(1))?;
        ensure(answer.status == status, || format!("{said}: {} {}", answer.status, answer.text()))?;
        let requests = sink.requests();
        let [only] = requests.as_slice() else { return Err(format!("{} requests", requests.len())) };
        let is_batch = only
            .headers
            .get("content-type")
            .is_some_and(|value| value.starts_with("application/cloudevents-batch+json"));
        let batch: Value = serde_json::from_slice(&only.body).map_err(|error| error.to_string())?;
        let ids: Vec<&str> =
            batch.as_array().into_iter().flatten().filter_map(|e| e["id"].as_str()).collect();
        ensure(is_batch && ids == ["kit-1-0", "kit-1-1", "kit-1-2"], || format!("{only:?}"))?;
    }
    Ok(())
}

#[test]
fn without_a_sink_the_parts_are_the_answer() -> Outcome {
    let splitter = start("items", &[])?;
    let answer = splitter.send(&order(1).binary(1))?;
    let event = answer.event()?;
    ensure(answer.status == 200 && event.get("id") == "kit-1-0" && event.data == b"0", || {
        format!("{event:?}")
    })?;
    let answer = splitter.send(&order(2).binary(1))?;
    ensure(answer.status == 422 && answer.text().contains("K_SINK"), || answer.text())?;
    let batch = json!([order(2).to_json(1), order(1).to_json(2)]).to_string();
    for (request, expected) in [
        (
            order(2).binary(1).header("accept", "application/cloudevents-batch+json"),
            &["kit-1-0", "kit-1-1"][..],
        ),
        (
            Request::post("/").body("application/cloudevents-batch+json", batch),
            &["kit-1-0", "kit-1-1", "kit-2-0"],
        ),
    ] {
        let answer = splitter.send(&request)?;
        let events: Value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
        let ids: Vec<&str> =
            events.as_array().into_iter().flatten().filter_map(|e| e["id"].as_str()).collect();
        ensure(answer.status == 200 && ids == expected, || format!("{} {}", answer.status, answer.text()))?;
    }
    Ok(())
}

#[test]
fn what_cannot_be_split_is_refused() -> Outcome {
    let sink = Sink::start()?;
    let settings = [("K_SINK", &*sink.url("/")), ("SPLITTER_MAX_PARTS", "5")];
    let splitter = start("items", &settings)?;
    for (example, reason) in [
        (order(6), "the event has 6 parts, more than 5"),
        (Example::new("t", "application/json", "{\"items\": ["), "the data is no JSON"),
        (Example::new("t", "text/plain", "hello"), "the data is no JSON"),
    ] {
        let answer = splitter.send(&example.binary(1))?;
        ensure(answer.status == 422 && answer.text().contains(reason), || {
            format!("{} {}", answer.status, answer.text())
        })?;
    }
    ensure(sink.count() == 0, || "something arrived".to_owned())
}
