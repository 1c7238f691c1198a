//! What callers see of the jq transformation, and what reaches its sink: the real binary between the two.

use kit::{Adapter, Example, Failure, Reply, Response, Sink, ensure};
use serde_json::{Value, json};

type Outcome = Result<(), Failure>;

struct Jq(Adapter);

impl Jq {
    fn start(query: &str, more: &[(&str, &str)]) -> Result<Self, Failure> {
        Adapter::listening("jq-transformation", &[&[("JQ_QUERY", query)], more].concat()).map(Self)
    }

    fn send(&self, example: &Example) -> Result<Response, Failure> {
        self.0.send(&example.binary(1))
    }

    /// The answer to an event with these data.
    fn ask(&self, data: &Value) -> Result<Response, Failure> {
        self.send(&Example::json("com.example.order", data))
    }
}

#[test]
fn without_a_sink_the_event_is_the_answer() -> Outcome {
    let jq = Jq::start(".greeting | ..", &[])?;
    let request = Example::json("com.example.greeting", &json!({"greeting": "hello"})).binary(1);
    let answer = jq.0.send(&request.header("ce-region", "eu").header("ce-subject", "s"))?;
    answer.expect(200)?;
    let event = answer.event()?;
    for (name, value) in [
        ("type", "com.example.greeting"),
        ("id", "kit-1"),
        ("region", "eu"),
        ("subject", "s"),
        ("datacontenttype", "application/json"),
        ("category", ""),
    ] {
        ensure(event.get(name) == value, || format!("{name}: {event:?}"))?;
    }
    ensure(event.data == br#""hello""#, || answer.text())
}

#[test]
fn with_a_sink_its_status_is_the_answer() -> Outcome {
    let sink = Sink::start()?;
    for policy in ["never", "error"] {
        let jq =
            Jq::start("{n: (.n + 1)}", &[("K_SINK", &sink.url("/in")), ("EVENTS_PAYLOAD_POLICY", policy)])?;
        for (said, expected) in [(202, 202), (200, 200), (401, 503), (404, 503), (500, 503), (429, 503)] {
            sink.reset();
            sink.always(Reply::status(said));
            let answer = jq.ask(&json!({"n": 12_345_678_901_234_567_890_u64}))?;
            ensure(answer.status == expected, || format!("{said} became {}", answer.status))?;
            ensure(sink.count() == 1, || format!("{said}: {} attempts", sink.count()))?;
        }
        let requests = sink.requests();
        let event = requests.first().ok_or("nothing arrived")?.event()?;
        let data = event.data.clone();
        ensure(data == br#"{"n":12345678901234567891}"#, || String::from_utf8_lossy(&data).into_owned())?;
    }
    Ok(())
}

#[test]
fn failures_are_told_by_status_or_as_events() -> Outcome {
    let query = ".order.number, (if .big then [range(1e12)] else 1 end)";
    let example = |content_type, data: &str| Example::new("com.example.order", content_type, data);
    let cases = [
        (example("application/json", "{"), "request-parsing", "the data of the event are no JSON: at byte 1"),
        (example("text/plain", "{}"), "request-parsing", "must be application/json, not 'text/plain'"),
        (example("application/xml", "<a/>"), "request-parsing", "not 'application/xml'"),
        (
            example("application/json", r#"{"order": "secret"}"#),
            "request-parsing",
            r#"expected an object but got: string ("secret")"#,
        ),
        (example("application/json", r#"{"big": true}"#), "adapter-process", "the query was ended: it "),
    ];
    let bounds = [("JQ_TIMEOUT", "2s"), ("JQ_MAX_BYTES", "4194304")];
    let mut plain = Jq::start(query, &bounds)?;
    let events = Jq::start(query, &[bounds[0], bounds[1], ("EVENTS_PAYLOAD_POLICY", "error")])?;
    for (example, code, text) in &cases {
        let answer = plain.send(example)?;
        answer.expect(422)?;
        ensure(answer.text().contains(text), || answer.text())?;
        let answer = events.send(example)?;
        answer.expect(200)?;
        let event = answer.event()?;
        let found = (event.get("type"), event.get("source"), event.get("category"));
        let expected = ("io.triggermesh.jqtransformation.error", "jqtransformation", "error");
        ensure(found == expected && event.get("id") != "kit-1", || format!("{event:?}"))?;
        let data = event.json();
        ensure(data["Code"] == *code, || data.to_string())?;
        ensure(data["Description"].as_str().is_some_and(|said| said.contains(text)), || data.to_string())?;
    }
    plain.0.process.wait_for_line("an event was not handled")?;
    let output = plain.0.process.output();
    ensure(!output.contains("secret"), || output.clone())
}

#[test]
fn a_query_that_never_ends_holds_up_nobody() -> Outcome {
    let query = "if .run then last(repeat(1)) else .n end";
    let jq = Jq::start(query, &[("WORKER_THREADS", "1"), ("JQ_TIMEOUT", "10s")])?;
    let running = Example::json("com.example.order", &json!({"run": true}));
    let running: Vec<_> = (0..2).map(|number| running.binary(number).send_later(jq.0.address)).collect();
    for n in 0..100 {
        let answer = jq.ask(&json!({ "n": n }))?;
        answer.expect(200)?;
        ensure(answer.text() == n.to_string(), || answer.text())?;
    }
    jq.0.get("/readyz")?.expect(200)?;
    ensure(running.iter().all(|asked| !asked.is_finished()), || {
        "a query has ended before its time".to_owned()
    })?;
    let answers = running.into_iter().map(kit::answer).collect::<Result<Vec<_>, _>>()?;
    let refused = answers.iter().filter(|answer| answer.status == 422).count();
    let texts: Vec<_> = answers.iter().map(|answer| format!("{} {}", answer.status, answer.text())).collect();
    ensure(refused >= 1 && answers.iter().all(|answer| matches!(answer.status, 422 | 503)), || {
        texts.join("\n")
    })
}

#[test]
fn what_is_not_done_at_once_is_done_aside() -> Outcome {
    let jq = Jq::start(
        "[.[] | {n: (.n * 2), type: $ce.type}] | length, (map(.n) | add)",
        &[("JQ_TIMEOUT", "30s")],
    )?;
    let items: Vec<Value> = (0..10_000).map(|n| json!({ "n": n })).collect();
    let answer = jq.ask(&Value::from(items))?;
    answer.expect(200)?;
    ensure(answer.text() == "99990000", || answer.text())
}

#[test]
fn hostile_data_are_refused_and_the_process_lives() -> Outcome {
    let jq = Jq::start("[..] | tojson", &[])?;
    for data in [
        "[".repeat(500_000),
        format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000)),
        "{\"a\":".repeat(100_000),
        format!("[{}]", "9".repeat(900_000)),
        format!("{}1{}", "[[],".repeat(400), "]".repeat(400)),
    ] {
        let answer = jq.send(&Example::new("com.example.order", "application/json", data))?;
        ensure(matches!(answer.status, 200 | 422), || format!("{} {}", answer.status, answer.text()))?;
    }
    jq.ask(&json!(1))?.expect(200)
}

#[test]
fn without_a_query_the_data_stay() -> Outcome {
    let jq = Jq(Adapter::listening("jq-transformation", &[("", ""); 0])?);
    let answer = jq.send(&Example::new("t", "application/json", "{ \"b\" : 1.0, \"a\" : [ ] }"))?;
    ensure(answer.text() == r#"{"a":[],"b":1.0}"#, || answer.text())?;
    let output = jq.0.process.output();
    ensure(output.contains("there is no query"), || output.clone())
}
