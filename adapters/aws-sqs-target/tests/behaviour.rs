//! What callers and the queue see of the SQS target: the real binary before ElasticMQ and moto, and before doubles where
//! AWS's own failures are played.

mod batches;
mod failures;

use kit::{Adapter, Example, Failure, Response, Sink, ensure};
use peers::{Moto, Queue, Sqs};
use serde_json::{Value, json};

type Outcome = Result<(), Failure>;

/// The target before something that speaks SQS.
struct Target {
    adapter: Adapter,
    /// Stands between the two and counts.
    sqs: Sink,
}

impl Target {
    fn start(queue: &Queue, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let sqs = Sink::start()?;
        sqs.stand_before(queue.address());
        Self::before(sqs, &queue.arn(), settings)
    }

    fn before(sqs: Sink, arn: &str, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let endpoint = sqs.url("");
        let base = [
            ("ARN", arn),
            ("AWS_ENDPOINT_URL_SQS", &endpoint),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ];
        Ok(Self { adapter: Adapter::ready("aws-sqs-target", &[&base, settings].concat())?, sqs })
    }

    fn send(&self, example: &Example, number: u64) -> Result<Response, Failure> {
        self.adapter.send(&example.binary(number))
    }
}

fn order(number: u64) -> Example {
    Example::json("com.example.order", &json!({ "order": number }))
}

/// The text that the reply holds.
fn told(answer: &Response) -> Result<String, Failure> {
    answer.expect(200)?;
    let event = answer.event()?;
    ensure(event.get("type") == "io.triggermesh.targets.aws.sqs.result", || format!("{event:?}"))?;
    ensure(event.get("datacontenttype") == "application/json", || format!("{event:?}"))?;
    event.json().as_str().map(str::to_owned).ok_or_else(|| format!("no text: {event:?}"))
}

#[test]
fn an_event_is_a_message_and_the_answer_names_it() -> Outcome {
    let queue = Queue::standard(&json!({}))?;
    let target = Target::start(&queue, &[])?;
    let answer = target.send(&order(7), 1)?;
    let event = answer.event()?;
    ensure(event.get("source") == queue.arn(), || format!("{event:?}"))?;
    let messages = queue.take()?;
    let [message] = messages.as_slice() else { return Err(format!("{messages:?}")) };
    let text = |name: &str| message[name].as_str().unwrap_or_default();
    let expected =
        format!("{{\n  MD5OfMessageBody: {:?},\n  MessageId: {:?}\n}}", text("MD5OfBody"), text("MessageId"));
    ensure(told(&answer)? == expected, || format!("{expected}: {answer:?}"))?;
    let body: Value = serde_json::from_str(text("Body")).map_err(|error| error.to_string())?;
    let expected = json!({
        "specversion": "1.0", "id": "kit-1", "source": "/kit", "type": "com.example.order",
        "datacontenttype": "application/json", "data": { "order": 7 },
    });
    ensure(body == expected, || body.to_string())
}

#[test]
fn the_data_alone_can_be_the_message() -> Outcome {
    let queue = Queue::standard(&json!({}))?;
    let target = Target::start(&queue, &[("AWS_DISCARD_CE_CONTEXT", "true")])?;
    told(&target.send(&Example::new("com.example.note", "text/plain", "hello é"), 1)?)?;
    for refused in [&b"\xff"[..], b"", b"\x01"] {
        let answer = target.send(&Example::new("com.example.note", "text/plain", refused), 2)?;
        ensure(answer.status == 422, || format!("{refused:?}: {} {}", answer.status, answer.text()))?;
    }
    let messages = queue.take()?;
    let bodies: Vec<_> = messages.iter().map(|message| &message["Body"]).collect();
    ensure(bodies == ["hello é"], || format!("{bodies:?}"))?;
    ensure(target.sqs.count() == 1, || format!("{} calls", target.sqs.count()))
}

#[test]
fn a_fifo_queue_gets_groups_and_drops_what_comes_twice() -> Outcome {
    let queue = Queue::fifo(&json!({}))?;
    let target = Target::start(&queue, &[])?;
    let send = |number: u64, name: &str, value: &str| {
        let answer = target.adapter.send(&order(number).binary(number).header(name, value))?;
        told(&answer)
    };
    send(1, "ce-partitionkey", "customer-7")?;
    send(2, "ce-subject", "cart")?;
    send(3, "ce-other", "x")?;
    // Its caller did not hear the answer.
    send(1, "ce-partitionkey", "customer-7")?;
    let found: Vec<_> = queue
        .take()?
        .iter()
        .map(|message| {
            let attributes = &message["Attributes"];
            let text = |name: &str| attributes[name].as_str().unwrap_or_default().to_owned();
            (text("MessageGroupId"), text("MessageDeduplicationId"))
        })
        .collect();
    let expected = [("customer-7", "kit-1;/kit"), ("cart", "kit-2;/kit"), ("/kit", "kit-3;/kit")];
    let mut expected = expected.map(|(group, id)| (group.to_owned(), id.to_owned())).to_vec();
    let mut found = found;
    // Groups have no order among one another.
    found.sort();
    expected.sort();
    ensure(found == expected, || format!("{found:?}"))
}

#[test]
fn moto_takes_the_same() -> Outcome {
    let moto = peers::shared(Moto::start)?;
    let sqs = Sqs::new(moto.address(), "eu-central-1");
    for (name, attributes) in [("orders", json!({})), ("orders.fifo", json!({"FifoQueue": "true"}))] {
        let url = sqs.create(name, &attributes)?;
        let front = Sink::start()?;
        front.stand_before(moto.address());
        let arn = format!("arn:aws:sqs:eu-central-1:{}:{name}", Moto::ACCOUNT);
        let target = Target::before(front, &arn, &[("AWS_MESSAGE_GROUP_ID", "all")])?;
        told(&target.send(&order(7), 1)?)?;
        let messages = sqs.receive(&url)?;
        ensure(messages.len() == 1, || format!("{name}: {messages:?}"))?;
        let group = messages[0]["Attributes"]["MessageGroupId"].as_str();
        let expected = if name.ends_with(".fifo") { Some("all") } else { None };
        ensure(group == expected, || format!("{name}: {messages:?}"))?;
    }
    Ok(())
}
