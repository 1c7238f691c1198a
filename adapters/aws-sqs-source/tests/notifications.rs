//! The processors `s3` and `eventbridge`: what buckets and buses of moto put into a queue.

use kit::{Failure, Request, Sink, ensure};
use peers::{Moto, Sqs};
use serde_json::{Value, json};

use crate::{Outcome, Source};

const REGION: &str = "us-east-1";

/// A call to moto, with the head of a signature by which it tells services apart.
fn call(moto: &Moto, service: &str, request: Request) -> Result<String, Failure> {
    let scope = format!("AKID/20260101/{REGION}/{service}/aws4_request");
    let signature = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00");
    let request = request.header("Authorization", &signature);
    let answer = request.send(moto.address()).map_err(|error| format!("{service}: {error}"))?;
    ensure(answer.is_success(), || format!("{service}: {} {}", answer.status, answer.text()))?;
    Ok(answer.text())
}

fn source(moto: &Moto, queue: &str, settings: &[(&str, &str)]) -> Result<(Source, String), Failure> {
    Sqs::new(moto.address(), REGION).create(queue, &json!({}))?;
    let sqs = Sink::start()?;
    sqs.stand_before(moto.address());
    let arn = format!("arn:aws:sqs:{REGION}:{}:{queue}", Moto::ACCOUNT);
    let mut source = Source::before(sqs, Sink::start()?, &arn, settings)?;
    source.process.wait_for_status("/readyz", 200)?;
    Ok((source, arn))
}

#[test]
fn changes_of_a_bucket_are_events() -> Outcome {
    let moto = peers::shared(Moto::start)?;
    let (source, arn) = source(&moto, "bucket-changes", &[("SQS_MESSAGE_PROCESSOR", "s3")])?;
    moto.create_bucket("pictures", REGION)?;
    let configuration = format!(
        "<NotificationConfiguration><QueueConfiguration><Queue>{arn}</Queue><Event>s3:ObjectCreated:*</Event>\
         <Event>s3:ObjectRemoved:*</Event></QueueConfiguration></NotificationConfiguration>"
    );
    call(&moto, "s3", Request::new("PUT", "/pictures?notification").body("application/xml", configuration))?;
    call(&moto, "s3", Request::new("PUT", "/pictures/a%20b.png").body("image/png", "x"))?;
    call(&moto, "s3", Request::new("DELETE", "/pictures/a%20b.png"))?;
    let events = source.sink.events(3)?;
    let of_type = |suffix: &str| {
        let event_type = format!("com.amazon.s3.{suffix}");
        events.iter().find(|event| event.get("type") == event_type).ok_or_else(|| format!("{events:?}"))
    };
    let test = of_type("testevent")?;
    ensure(test.json()["Event"] == "s3:TestEvent", || format!("{test:?}"))?;
    for event in [test, of_type("objectcreated")?, of_type("objectremoved")?] {
        ensure(event.get("source") == "arn:aws:s3:::pictures", || format!("{event:?}"))?;
    }
    let created = of_type("objectcreated")?;
    let data = created.json();
    ensure(created.get("subject") == data["s3"]["object"]["key"], || format!("{created:?}"))?;
    ensure(created.get("time") == data["eventTime"], || format!("{created:?}"))?;
    ensure(created.get("id").ends_with("-0"), || format!("{created:?}"))
}

#[test]
fn events_of_a_bus_are_events() -> Outcome {
    let moto = peers::shared(Moto::start)?;
    let bus = format!("arn:aws:events:{REGION}:{}:event-bus/default", Moto::ACCOUNT);
    let settings = [("SQS_MESSAGE_PROCESSOR", "eventbridge"), ("CE_SOURCE", bus.as_str())];
    let (source, arn) = source(&moto, "bus-events", &settings)?;
    let act = |action: &str, request: &Value| {
        let request = Request::post("/")
            .header("X-Amz-Target", &format!("AWSEvents.{action}"))
            .body("application/x-amz-json-1.1", request.to_string());
        call(&moto, "events", request)
    };
    act("PutRule", &json!({"Name": "all", "EventPattern": r#"{"source": ["com.example.shop"]}"#}))?;
    act("PutTargets", &json!({"Rule": "all", "Targets": [{"Id": "1", "Arn": arn}]}))?;
    let detail = r#"{"z":1,"a":"<"}"#;
    let entry = json!({"Source": "com.example.shop", "DetailType": "Order Placed", "Detail": detail});
    act("PutEvents", &json!({"Entries": [entry]}))?;
    let event = source.sink.events(1)?.remove(0);
    let data = event.json();
    let found = (
        event.get("type"),
        event.get("source"),
        event.get("awseventssource"),
        event.get("awseventsdetailtype"),
    );
    let expected = ("com.amazon.events.event", bus.as_str(), "com.example.shop", "Order Placed");
    ensure(found == expected, || format!("{event:?}"))?;
    ensure(event.get("id") == data["id"] && event.get("time") == data["time"], || format!("{event:?}"))?;
    // As it was sent: the escapes of the original.
    let text = source.sink.requests()[0].text();
    ensure(text.contains(r#""detail":{"a":"\u003c","z":1}"#), || text.clone())
}
