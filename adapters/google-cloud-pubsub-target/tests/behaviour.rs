//! What callers see of the Pub/Sub target and what reaches the topic: the real binary before Google's fake.

mod credentials;

use kit::{Adapter, Example, Failure, Response, ensure, eventually};
use peers::{Pstest, Published};
use serde_json::{Value, json};

type Outcome = Result<(), Failure>;

struct Target {
    adapter: Adapter,
    pubsub: Pstest,
}

impl Target {
    fn start(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let pubsub = Pstest::start()?;
        pubsub.topic(Pstest::TOPIC)?;
        let emulator = pubsub.emulator();
        let base = [("GCLOUD_PUBSUB_TOPIC", Pstest::TOPIC), ("PUBSUB_EMULATOR_HOST", &emulator)];
        let adapter = Adapter::ready("google-cloud-pubsub-target", &[&base, settings].concat())?;
        Ok(Self { adapter, pubsub })
    }

    fn order(&self, number: u64) -> Result<Response, Failure> {
        order(&self.adapter, number)
    }

    fn message(&self) -> Result<Published, Failure> {
        self.pubsub.messages()?.pop().ok_or_else(|| "nothing was published".to_owned())
    }
}

/// Sends an order to a target.
fn order(to: &Adapter, number: u64) -> Result<Response, Failure> {
    let request = Example::json("com.example.order", &json!({ "order": number })).binary(number);
    to.send(&request.header("ce-partitionkey", "k1"))
}

#[test]
fn an_event_is_a_message_in_each_mode() -> Outcome {
    let target = Target::start(&[])?;
    let answer = target.order(1)?;
    ensure(answer.status == 202 && answer.body.is_empty(), || format!("{answer:?}"))?;
    let message = target.message()?;
    let event: Value = serde_json::from_slice(&message.data).map_err(|error| error.to_string())?;
    let found = (&event["specversion"], &event["type"], &event["data"], &event["partitionkey"]);
    let expected = (&json!("1.0"), &json!("com.example.order"), &json!({ "order": 1 }), &json!("k1"));
    ensure(found == expected && message.attributes.is_empty(), || format!("{message:?}"))?;

    let settings = [("GCLOUD_PUBSUB_CONTENT_MODE", "binary"), ("GCLOUD_PUBSUB_ORDERING_KEY", "partitionkey")];
    let target = Target::start(&settings)?;
    target.order(1)?;
    let message = target.message()?;
    let attribute = |name: &str| message.attributes.get(name).map(String::as_str);
    let found = (attribute("ce-type"), attribute("ce-specversion"), attribute("content-type"), &*message.key);
    let expected = (Some("com.example.order"), Some("1.0"), Some("application/json"), "k1");
    ensure(found == expected && message.data == br#"{"order":1}"#, || format!("{message:?}"))
}

#[test]
fn many_at_once_leave_together() -> Outcome {
    let target = Target::start(&[])?;
    for answer in kit::at_once(0..200, |number| target.order(number))? {
        ensure(answer.status == 202, || format!("answered {}", answer.status))?;
    }
    let (messages, calls) = (target.pubsub.messages()?.len(), target.pubsub.calls("Publish")?.count);
    ensure(messages == 200, || format!("{messages} messages"))?;
    ensure(calls < 200, || format!("{calls} requests for {messages} messages"))
}

#[test]
fn failures_say_what_is_to_be_done() -> Outcome {
    let target = Target::start(&[])?;
    for (code, status, text) in [
        ("INVALID_ARGUMENT", 422, "refused as invalid"),
        ("NOT_FOUND", 503, "the topic of GCLOUD_PUBSUB_TOPIC does not exist: projects/p/topics/t"),
        (
            "PERMISSION_DENIED",
            503,
            "may not use the topic of GCLOUD_PUBSUB_TOPIC (it needs roles/pubsub.publisher)",
        ),
        ("UNAUTHENTICATED", 503, "is not accepted"),
        ("RESOURCE_EXHAUSTED", 503, "a quota is exhausted"),
        ("FAILED_PRECONDITION", 503, "GCLOUD_PUBSUB_TOPIC is in no state to be used"),
        ("UNAVAILABLE", 503, "the service is not able to do it now"),
        ("INTERNAL", 503, "the service is not able to do it now"),
    ] {
        target.pubsub.fail("Publish", code, -1)?;
        let answer = target.order(1)?;
        let told = answer.text();
        ensure(answer.status == status && told.contains(text), || {
            format!("{code}: {} {told}", answer.status)
        })?;
        let waits = answer.headers.get("retry-after").is_some();
        ensure(waits == (status == 503), || format!("{code}: Retry-After is {waits}"))?;
    }
    // The cause is gone, and it works by itself.
    target.pubsub.fail("Publish", "", 0)?;
    ensure(target.order(2)?.status == 202, || target.adapter.process.output())?;
    let ready = target.adapter.get("/readyz")?;
    ensure(ready.status == 200, || "a target whose service failed is not ready".to_owned())
}

#[test]
fn one_that_is_refused_does_not_take_its_neighbours_with_it() -> Outcome {
    let target = Target::start(&[])?;
    // Whatever leaves together is refused once, as for one message that a schema does not allow.
    target.pubsub.fail("Publish", "INVALID_ARGUMENT", 1)?;
    let answers = kit::at_once(0..40, |number| target.order(number))?;
    // What was in it is sent again, each message alone: then the service refuses only the one.
    ensure(answers.iter().all(|answer| answer.status == 202), || format!("{answers:?}"))?;
    let published = target.pubsub.messages()?.len();
    ensure(published == 40, || format!("{published} published"))
}

#[test]
fn nothing_is_accepted_without_an_id_from_the_service() -> Outcome {
    let target = Target::start(&[("GCLOUD_PUBSUB_TIMEOUT", "1s")])?;
    target.pubsub.fail_after("Publish", "UNAVAILABLE", 1)?;
    let answer = target.order(1)?;
    ensure(answer.status == 503, || format!("answered {}", answer.status))?;
    target.pubsub.hang("Publish", 1)?;
    let answer = target.order(2)?;
    let told = answer.text();
    ensure(answer.status == 503 && told.contains("no answer"), || format!("{} {told}", answer.status))?;
    // Not at once: the time-out is short for a busy machine.
    eventually("an accepted event", || target.order(3).ok().filter(|answer| answer.status == 202)).map(drop)
}

#[test]
fn an_ordering_key_goes_on_after_a_failure() -> Outcome {
    let target = Target::start(&[("GCLOUD_PUBSUB_ORDERING_KEY", "partitionkey")])?;
    for number in 0..10 {
        if number % 3 == 0 {
            target.pubsub.fail("Publish", "UNAVAILABLE", 1)?;
            ensure(target.order(number)?.status == 503, || format!("{number} was accepted"))?;
        }
        eventually("an accepted event", || target.order(number).ok().filter(|answer| answer.status == 202))?;
    }
    let orders: Vec<Value> = target
        .pubsub
        .messages()?
        .iter()
        .filter_map(|message| {
            Some(serde_json::from_slice::<Value>(&message.data).ok()?["data"]["order"].clone())
        })
        .collect();
    let expected: Vec<Value> = (0..10).map(|number| json!(number)).collect();
    ensure(orders == expected, || format!("{orders:?}"))
}

#[test]
fn more_keys_than_a_publisher_keeps_are_no_matter() -> Outcome {
    let target = Target::start(&[("GCLOUD_PUBSUB_ORDERING_KEY", "partitionkey")])?;
    for number in 0..1_100 {
        let request = Example::json("com.example.order", &json!({})).binary(number);
        let request = request.header("ce-partitionkey", &format!("k{number}"));
        let status = target.adapter.send(&request)?.status;
        ensure(status == 202, || format!("{number}: {status}"))?;
    }
    let published = target.pubsub.messages()?.len();
    ensure(published == 1_100, || format!("{published} published"))
}

#[test]
fn what_is_too_large_is_refused_here() -> Outcome {
    let target = Target::start(&[("MAX_EVENT_BYTES", "33554432")])?;
    for (size, status) in [(9_900_000, 202), (10_000_000, 413)] {
        let text = format!("\"{}\"", "x".repeat(size));
        let request = Example::new("com.example.note", "application/json", text).binary(1);
        let answer = target.adapter.send(&request)?;
        ensure(answer.status == status, || format!("{size}: {} {}", answer.status, answer.text()))?;
    }
    Ok(())
}

#[test]
fn replies_are_those_of_the_original_where_they_are_asked_for() -> Outcome {
    let target = Target::start(&[("EVENTS_PAYLOAD_POLICY", "always")])?;
    let answer = target.order(1)?;
    let event = answer.event()?;
    let found = (event.get("type"), event.get("source"), event.get("category"), answer.text());
    let expected =
        ("io.triggermesh.google.pubsub.response", "googlecloudpubsubtarget", "success", "\"ok\"".to_owned());
    ensure(answer.status == 200 && found == expected, || format!("{answer:?}"))
}

#[test]
fn the_service_may_come_later_and_go() -> Outcome {
    let pubsub = Pstest::start()?;
    let gone = pubsub.emulator();
    drop(pubsub);
    let environment = [("GCLOUD_PUBSUB_TOPIC", Pstest::TOPIC), ("PUBSUB_EMULATOR_HOST", &*gone)];
    let target = Adapter::listening("google-cloud-pubsub-target", &environment)?;
    let answer = target.send(&Example::json("com.example.order", &json!({})).binary(1))?;
    let told = answer.text();
    ensure(answer.status == 503 && told.contains("cannot be reached"), || format!("{} {told}", answer.status))
}
