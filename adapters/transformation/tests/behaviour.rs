//! What callers see of the transformation, and what reaches its sink: the real binary between the two.

use kit::{Adapter, Example, Failure, Reply, Response, Sink, ensure};
use serde_json::{Value, json};

type Outcome = Result<(), Failure>;

struct Transformation(Adapter);

impl Transformation {
    fn start(context: &Value, data: &Value, more: &[(&str, &str)]) -> Result<Self, Failure> {
        let (context, data) = (context.to_string(), data.to_string());
        let program = [("TRANSFORMATION_CONTEXT", &*context), ("TRANSFORMATION_DATA", &*data)];
        Adapter::listening("transformation", &[&program, more].concat()).map(Self)
    }

    fn send(&self, example: &Example) -> Result<Response, Failure> {
        self.0.send(&example.binary(1))
    }
}

fn greeting() -> (Value, Value) {
    let context = json!([{"operation": "add", "paths": [{"key": "type", "value": "com.example.greeting"}]}]);
    let data = json!([
        {"operation": "store", "paths": [{"key": "$name", "value": "user.name"}]},
        {"operation": "add", "paths": [{"key": "greeting", "value": "Hello $name"}]},
    ]);
    (context, data)
}

fn login() -> Example {
    Example::json("com.example.login", &json!({ "user": { "name": "Ann" } }))
}

#[test]
fn without_a_sink_the_event_is_the_answer() -> Outcome {
    let (context, data) = greeting();
    let transformation = Transformation::start(&context, &data, &[])?;
    let answer = transformation.send(&login())?;
    answer.expect(200)?;
    let event = answer.event()?;
    ensure(event.get("type") == "com.example.greeting" && event.get("id") == "kit-1", || {
        format!("{event:?}")
    })?;
    let body = r#"{"greeting":"Hello Ann","user":{"name":"Ann"}}"#;
    ensure(event.data == body.as_bytes(), || answer.text())
}

#[test]
fn with_a_sink_its_status_is_the_answer() -> Outcome {
    let sink = Sink::start()?;
    let (context, data) = greeting();
    let transformation = Transformation::start(&context, &data, &[("K_SINK", &sink.url("/in"))])?;
    for (said, status) in [(202, 202), (200, 200), (400, 400), (402, 422), (401, 503), (404, 503), (500, 503)]
    {
        sink.reset();
        sink.always(Reply::status(said));
        let answer = transformation.send(&login())?;
        ensure(answer.status == status, || format!("{said} became {}: {}", answer.status, answer.text()))?;
        ensure(sink.count() == 1, || format!("{said}: {} attempts", sink.count()))?;
    }
    let requests = sink.requests();
    let event = requests.first().ok_or("nothing arrived")?.event()?;
    ensure(event.get("type") == "com.example.greeting", || format!("{event:?}"))
}

#[test]
fn what_cannot_be_transformed_is_refused() -> Outcome {
    let context = json!([{"operation": "delete", "paths": [{"key": "Extensions.none"}, {"key": "source"}]}]);
    let transformation = Transformation::start(&context, &Value::Null, &[])?;
    for (example, text) in [
        (
            Example::new("com.example.note", "text/plain", "hello"),
            "must be application/json, not 'text/plain'",
        ),
        (login(), "attribute 'source' was deleted or emptied"),
    ] {
        let answer = transformation.send(&example)?;
        ensure(answer.status == 422 && answer.text().contains(text), || answer.text())?;
    }
    Ok(())
}

#[test]
fn steps_without_effect_are_counted_and_told() -> Outcome {
    let data = json!([{"operation": "shift", "paths": [{"key": "usr:user"}, {"key": "user:person"}]}]);
    let transformation = Transformation::start(&Value::Null, &data, &[("LOG_LEVEL", "debug")])?;
    let answer = transformation.send(&login())?;
    ensure(answer.text() == r#"{"person":{"name":"Ann"}}"#, || answer.text())?;
    let metrics = transformation.0.process.metrics()?;
    let counted = r#"transformation_steps_without_effect_total{reason="missing",step="data[0].paths[0]"} 1"#;
    ensure(metrics.contains(counted), || metrics.clone())?;
    let output = transformation.0.process.output();
    let told =
        |text: &str| output.lines().any(|line| line.contains("a step had no effect") && line.contains(text));
    ensure(told(r#""step":"data[0].paths[0]""#) && !told(r#""step":"data[0].paths[1]""#), || output.clone())
}

#[test]
fn what_can_have_no_effect_is_told_at_the_start() -> Outcome {
    let data = json!([{"operation": "parse", "paths": [{"key": "text", "value": "xml"}]}]);
    let transformation = Transformation::start(&Value::Null, &data, &[])?;
    let output = transformation.0.process.output();
    ensure(
        output.contains("an operation can have no effect") && output.contains("data[0].paths[0].value"),
        || output.clone(),
    )
}
