//! What becomes of messages: the real binary between queues of ElasticMQ and moto, and a sink.

mod failures;
mod flow;
mod notifications;

use std::collections::BTreeSet;

use kit::{Event, Failure, Process, Reply, Sink, ensure, eventually};
use peers::{Moto, Queue, Sqs};
use serde_json::{Value, json};

type Outcome = Result<(), Failure>;

/// The source between something that speaks SQS and a sink.
struct Source {
    process: Process,
    sink: Sink,
    /// Stands before the queue and counts.
    sqs: Sink,
}

impl Source {
    fn start(queue: &Queue, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        Self::start_between(queue, Sink::start()?, settings)
    }

    fn start_between(queue: &Queue, sink: Sink, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let sqs = Sink::start()?;
        sqs.stand_before(queue.address());
        let mut source = Self::before(sqs, sink, &queue.arn(), settings)?;
        source.process.wait_for_status("/readyz", 200)?;
        Ok(source)
    }

    fn before(sqs: Sink, sink: Sink, arn: &str, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let (endpoint, k_sink) = (sqs.url(""), sink.url("/"));
        let base = [
            ("ARN", arn),
            ("AWS_ENDPOINT_URL_SQS", &endpoint),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
            ("K_SINK", &k_sink),
        ];
        let process = Process::start("aws-sqs-source", &[], &[&base, settings].concat())?;
        Ok(Self { process, sink, sqs })
    }

    /// How often an action was called.
    fn calls(&self, action: &str) -> usize {
        let named = format!("AmazonSQS.{action}");
        let requests = self.sqs.requests();
        requests.iter().filter(|request| request.headers.get("x-amz-target") == Some(&named)).count()
    }

    fn stop(&mut self) -> Outcome {
        self.process.stop()
    }
}

/// Waits until the queue holds nothing, hidden messages included.
fn emptied(queue: &Queue) -> Outcome {
    eventually("an empty queue", || (queue.depth().ok()? == 0).then_some(()))
}

/// The body of the message that an event stands for.
fn body(event: &Event) -> String {
    event.json()["Body"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_message_is_an_event_and_gone_when_it_was_delivered() -> Outcome {
    let queue = Queue::standard(&json!({}))?;
    let source = Source::start(&queue, &[])?;
    let attributes = json!({
        "My-Attr.1": { "DataType": "String", "StringValue": "v" },
        "Picture": { "DataType": "Binary", "BinaryValue": "AXg=" },
    });
    let entry = json!([{ "Id": "0", "MessageBody": "hello <é>", "MessageAttributes": attributes }]);
    queue.sqs().send_entries(queue.url(), &entry)?;
    let event = source.sink.events(1)?.remove(0);
    let data = event.json();
    let found =
        (event.get("type"), event.get("source"), event.get("sqsmsgmyattr1"), event.get("datacontenttype"));
    ensure(found == ("com.amazon.sqs.message", &queue.arn(), "v", "application/json"), || {
        format!("{event:?}")
    })?;
    ensure(!event.attributes.contains_key("sqsmsgpicture"), || format!("{event:?}"))?;
    ensure(data["MessageId"] == event.get("id") && data["Body"] == "hello <é>", || data.to_string())?;
    ensure(data["MessageAttributes"]["Picture"]["BinaryValue"] == "AXg=", || data.to_string())?;
    ensure(data["Attributes"]["ApproximateReceiveCount"] == "1", || data.to_string())?;
    ensure(String::from_utf8_lossy(&event.data).contains(r"\u003cé\u003e"), || format!("{event:?}"))?;
    emptied(&queue)
}

#[test]
fn moto_has_queues_too() -> Outcome {
    let moto = peers::shared(Moto::start)?;
    let server = Sqs::new(moto.address(), "eu-central-1");
    let url = server.create("brought-in", &json!({"VisibilityTimeout": "5"}))?;
    let sqs = Sink::start()?;
    sqs.stand_before(moto.address());
    let arn = format!("arn:aws:sqs:eu-central-1:{}:brought-in", Moto::ACCOUNT);
    let mut source = Source::before(sqs, Sink::start()?, &arn, &[])?;
    let bodies: Vec<String> = (0..25).map(|number| format!("message {number}")).collect();
    server.send(&url, &bodies)?;
    // Each at least once: what two ask moto for at the same moment it may give to both.
    let expected: BTreeSet<_> = bodies.into_iter().collect();
    eventually("each message", || {
        let found: BTreeSet<_> = source.sink.events(25).ok()?.iter().map(body).collect();
        (found == expected).then_some(())
    })?;
    eventually("an empty queue", || {
        let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        names.iter().all(|name| server.attribute(&url, name).is_ok_and(|count| count == "0")).then_some(())
    })?;
    source.stop()
}

#[test]
fn the_queue_is_looked_up_in_its_own_account() -> Outcome {
    let sqs = Sink::start()?;
    sqs.always(Reply::json(
        &json!({"QueueUrl": "http://elsewhere/queue", "Attributes": {"VisibilityTimeout": "7"}}),
    ));
    let arn = "arn:aws:sqs:us-west-2:210987654321:orders";
    let mut source = Source::before(sqs, Sink::start()?, arn, &[])?;
    source.process.wait_for_status("/readyz", 200)?;
    let requests = source.sqs.wait_for(3)?;
    let parsed: Vec<Value> =
        requests.iter().map(|request| serde_json::from_slice(&request.body).unwrap_or_default()).collect();
    let expected = json!({ "QueueName": "orders", "QueueOwnerAWSAccountId": "210987654321" });
    ensure(parsed[0] == expected, || parsed[0].to_string())?;
    ensure(parsed[1]["AttributeNames"] == json!(["VisibilityTimeout"]), || parsed[1].to_string())?;
    let receive = &parsed[2];
    let found = (&receive["QueueUrl"], &receive["MaxNumberOfMessages"], &receive["WaitTimeSeconds"]);
    ensure(found == (&json!("http://elsewhere/queue"), &json!(10), &json!(20)), || receive.to_string())?;
    ensure(receive["VisibilityTimeout"] == 7, || receive.to_string())
}
