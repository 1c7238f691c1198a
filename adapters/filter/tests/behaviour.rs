//! What callers see of the filter, and what reaches its sink: the real binary between the two.

use kit::{Adapter, Example, Failure, Reply, Request, Sink, ensure};
use serde_json::json;

type Outcome = Result<(), Failure>;

fn start(expression: &str, more: &[(&str, &str)]) -> Result<Adapter, Failure> {
    Adapter::listening("filter", &[&[("FILTER_EXPRESSION", expression)], more].concat())
}

fn counted(filter: &Adapter, result: &str, count: u32) -> Outcome {
    let metrics = filter.process.metrics()?;
    let line = format!("filter_events_total{{result=\"{result}\"}} {count}");
    ensure(metrics.contains(&line), || format!("no {line} in {metrics}"))
}

fn order(amount: i64) -> Example {
    Example::json("com.example.order", &json!({ "order": { "amount": amount } }))
}

#[test]
fn without_a_sink_what_passes_is_the_answer() -> Outcome {
    let filter = start("$order.amount.(int64) > 100", &[])?;
    let answer = filter.send(&order(101).binary(1).header("ce-region", "eu"))?;
    answer.expect(200)?;
    let event = answer.event()?;
    let attributes = (event.get("id"), event.get("type"), event.get("source"), event.get("region"));
    ensure(attributes == ("kit-1", "com.example.order", "/kit", "eu"), || format!("{event:?}"))?;
    ensure(event.data == order(101).data, || answer.text())?;
    let answer = filter.send(&order(100).binary(2))?;
    ensure(answer.status == 200 && answer.body.is_empty(), || {
        format!("{} {}", answer.status, answer.text())
    })?;
    ensure(!answer.headers.iter().any(|(name, _)| name.starts_with("ce-")), || {
        format!("{:?}", answer.headers)
    })?;
    counted(&filter, "passed", 1)?;
    counted(&filter, "dropped", 1)
}

#[test]
fn with_a_sink_its_answer_is_the_answer() -> Outcome {
    let sink = Sink::start()?;
    let filter = start("$order.amount.(int64) > 100", &[("K_SINK", &sink.url("/in"))])?;
    for (said, status) in
        [(202, 202), (200, 200), (204, 204), (400, 400), (402, 422), (401, 503), (404, 503), (500, 503)]
    {
        sink.reset();
        sink.always(Reply::status(said));
        // The path of the original, which named the object.
        let mut request = order(101).binary(1);
        request.path = "/demo/sample".to_owned();
        let answer = filter.send(&request)?;
        ensure(answer.status == status, || format!("{said} became {}: {}", answer.status, answer.text()))?;
        ensure(sink.count() == 1, || format!("{said}: {} attempts", sink.count()))?;
    }
    sink.reset();
    let answer = filter.send(&order(1).binary(1))?;
    ensure(answer.status == 200 && answer.body.is_empty() && sink.count() == 0, || answer.text())
}

#[test]
fn a_reply_of_the_sink_goes_back() -> Outcome {
    let sink = Sink::start()?;
    let filter = start("true", &[("K_SINK", &sink.url("/"))])?;
    let reply = Reply::event("com.example.reply", "reply-1").header("content-type", "application/json");
    sink.always(reply.body(r#"{"done":true}"#));
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let answer = filter.send(&order(1).binary(1).header("traceparent", trace))?;
    let event = answer.event()?;
    ensure(
        answer.status == 200 && event.get("id") == "reply-1" && event.data == br#"{"done":true}"#,
        || format!("{} {event:?}", answer.status),
    )?;
    let requests = sink.requests();
    let first = requests.first().ok_or("nothing arrived")?;
    let headers = &first.headers;
    ensure(headers.get("prefer") == Some("reply"), || format!("{headers:?}"))?;
    ensure(headers.get("traceparent").is_some_and(|own| own.starts_with(&trace[..36])), || {
        format!("{headers:?}")
    })?;
    for (said, status) in [
        (Reply::status(200).header("content-type", "text/html").body("<p>thanks</p>"), 200),
        (Reply::status(200).header("ce-specversion", "1.0").body("half an event"), 503),
    ] {
        sink.always(said);
        let answer = filter.send(&order(1).binary(2))?;
        answer.expect(status)?;
    }
    Ok(())
}

#[test]
fn no_answer_is_a_refusal_that_tells_no_value() -> Outcome {
    let sink = Sink::start()?;
    let expression = "data.order.amount + 1 > 0 && $a.(int64) == 0";
    let filter = start(expression, &[("K_SINK", &sink.url("/"))])?;
    for (data, reason) in [
        (r#"{"order": {}}"#, "the event has no data.order.amount"),
        (r#"{"order": {"amount": "hunter2"}}"#, "not of the types that the expression wants"),
        ("{\"order\": ", "the data is no JSON"),
    ] {
        let answer = filter.send(&Example::new("t", "application/json", data).binary(1))?;
        ensure(answer.status == 422 && answer.text().contains(reason), || {
            format!("{} {}", answer.status, answer.text())
        })?;
        ensure(!answer.text().contains("hunter2"), || answer.text())?;
    }
    ensure(sink.count() == 0, || "something arrived".to_owned())?;
    counted(&filter, "failed", 3)?;
    let output = filter.process.output();
    ensure(!output.contains("hunter2"), || output.clone())
}

#[test]
fn what_is_no_event_is_refused() -> Outcome {
    let filter = start("true", &[])?;
    for (request, status) in [
        (Request::get("/demo/sample"), 405),
        (Request::post("/demo/sample").body("application/json", "{}"), 415),
        (order(1).binary(1).header("ce-1_no", "name"), 400),
    ] {
        let answer = filter.send(&request)?;
        answer.expect(status)?;
    }
    Ok(())
}

#[test]
fn a_refused_event_goes_to_the_dead_letter_sink() -> Outcome {
    let (sink, letters) = (Sink::start()?, Sink::start()?);
    sink.always(Reply::status(422));
    let filter = start("true", &[("K_SINK", &sink.url("/")), ("DEAD_LETTER_SINK", &letters.url("/"))])?;
    let answer = filter.send(&order(1).binary(1))?;
    answer.expect(202)?;
    let letter = letters.requests().first().ok_or("no dead letter")?.event()?;
    ensure(letter.get("knativeerrorcode") == "422", || format!("{letter:?}"))
}
