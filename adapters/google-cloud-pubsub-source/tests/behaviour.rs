//! What the sink gets of a subscription, and what becomes of its messages: the real binary between Google's fake and a
//! scripted sink.

mod failures;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use kit::{Event, Failure, Process, Reply, Sink, ensure, eventually, within};
use peers::Pstest;
use serde_json::{Value, json};

type Outcome = Result<(), Failure>;

/// The fake, a sink, and what is started between them.
struct Source {
    pubsub: Pstest,
    sink: Sink,
}

impl Source {
    fn new(options: &Value) -> Result<Self, Failure> {
        let pubsub = Pstest::start()?;
        pubsub.topic(Pstest::TOPIC)?;
        pubsub.subscribe(Pstest::SUBSCRIPTION, Pstest::TOPIC, options)?;
        Ok(Self { pubsub, sink: Sink::start()? })
    }

    fn launch(&self, settings: &[(&str, &str)]) -> Result<Process, Failure> {
        let base = [
            ("GCLOUD_PUBSUB_SUBSCRIPTION", Pstest::SUBSCRIPTION),
            ("PUBSUB_EMULATOR_HOST", &*self.pubsub.emulator()),
            ("GCLOUD_PUBSUB_ACK_DEADLINE", "10s"),
            ("DRAIN_SECONDS", "0"),
            ("K_SINK", &*self.sink.url("/")),
        ];
        Process::start("google-cloud-pubsub-source", &[], &[&base, settings].concat())
    }

    fn start(&self, settings: &[(&str, &str)]) -> Result<Process, Failure> {
        let mut process = self.launch(settings)?;
        process.wait_for_status("/readyz", 200)?;
        Ok(process)
    }

    /// The numbers that the sink has got so far, in their order.
    fn numbers(&self) -> Vec<u64> {
        let events = self.sink.requests().into_iter().filter_map(|request| request.event().ok());
        events.filter_map(|event| data(&event).ok()?["Data"].as_u64()).collect()
    }
}

fn data(event: &Event) -> Result<Value, Failure> {
    serde_json::from_slice(&event.data).map_err(|error| error.to_string())
}

#[test]
fn a_message_is_an_event_and_gone_when_the_sink_has_it() -> Outcome {
    let source = Source::new(&json!({}))?;
    let _process = source.start(&[])?;
    let id = source.pubsub.publish(br#"{"temp":21}"#, &json!({ "My-Attr": "x" }), "")?;
    let event = source.sink.events(1)?.remove(0);
    let found =
        ["id", "source", "type", "pubsubmsgmyattr", "datacontenttype"].map(|name| event.get(name).to_owned());
    let expected = [&*id, Pstest::TOPIC, "com.google.cloud.pubsub.message", "x", "application/json"];
    ensure(found == expected, || format!("{event:?}"))?;
    let text = String::from_utf8_lossy(&event.data).into_owned();
    let start =
        format!(r#"{{"Data":{{"temp":21}},"ID":"{id}","Attributes":{{"My-Attr":"x"}},"PublishTime":""#);
    let end = r#"","DeliveryAttempt":null,"OrderingKey":""}"#;
    ensure(text.starts_with(&start) && text.ends_with(end), || text.clone())?;
    ensure(data(&event)?["PublishTime"] == json!(event.get("time")), || text.clone())?;
    let messages = source.pubsub.wait_for_acks(1)?;
    ensure(messages[0].deliveries == 1, || format!("{messages:?}"))?;
    let calls = source.pubsub.calls("StreamingPull")?;
    ensure(calls.max_outstanding == (200, 8 << 20) && calls.ack_deadline == 10, || format!("{calls:?}"))
}

#[test]
fn settings_decide_type_and_source() -> Outcome {
    let source = Source::new(&json!({}))?;
    for (round, (settings, attributes, expected)) in [
        (&[("CE_SOURCE", "/s"), ("CE_TYPE", "t")][..], json!({}), ["/s", "t"]),
        (
            &[("GCLOUD_PUBSUB_MESSAGE_PROCESSOR", "gcs"), ("GCLOUD_STORAGE_BUCKET", "b"), ("CE_TYPE", "t")],
            json!({ "eventType": "OBJECT_FINALIZE" }),
            ["gs://b", "com.google.cloud.storage.objectfinalize"],
        ),
        (
            &[("GCLOUD_PUBSUB_SUBSCRIPTION", "s"), ("GCLOUD_PUBSUB_TOPIC", Pstest::TOPIC)],
            json!({}),
            [Pstest::TOPIC, "com.google.cloud.pubsub.message"],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        source.sink.reset();
        let _process = source.start(settings)?;
        source.pubsub.publish(b"x", &attributes, "")?;
        let event = source.sink.events(1)?.remove(0);
        let found = [event.get("source"), event.get("type")];
        ensure(found == expected, || format!("{settings:?}: {event:?}"))?;
        // Or it comes to the next process.
        source.pubsub.wait_for_acks(round + 1)?;
    }
    Ok(())
}

#[test]
fn messages_stay_ours_while_the_sink_is_slow() -> Outcome {
    let source = Source::new(&json!({ "ack_deadline": 10 }))?;
    source.sink.always(Reply::hang());
    let _process = source.start(&[("K_SINK_TIMEOUT", "4")])?;
    source.pubsub.publish_many(20, "{n}", "")?;
    source.sink.wait_for(20)?;
    // Longer than the deadline of the subscription and of the stream.
    let begun = Instant::now();
    let patience = Duration::from_secs(60);
    within(patience, "extended deadlines", || {
        let messages = source.pubsub.messages().ok()?;
        let extended = messages.iter().all(|message| message.deadlines.len() >= 3);
        (extended && begun.elapsed() > Duration::from_secs(15)).then_some(())
    })?;
    source.sink.always(Reply::status(202));
    let messages = source.pubsub.wait_for_acks(20)?;
    ensure(messages.iter().all(|message| message.deliveries == 1), || format!("{messages:?}"))
}

#[test]
fn the_order_of_a_key_outlives_a_failing_sink() -> Outcome {
    let source = Source::new(&json!({ "ordering": true }))?;
    source.sink.script((0..60).map(|number| Reply::status(if number % 3 == 0 { 503 } else { 202 })));
    let _process = source.start(&[])?;
    for number in 0..20 {
        source.pubsub.publish(number.to_string().as_bytes(), &json!({}), "k")?;
    }
    let messages = within(Duration::from_secs(60), "acknowledged messages", || {
        source.pubsub.messages().ok().filter(|all| all.iter().all(|message| message.acks > 0))
    })?;
    ensure(messages.len() == 20, || format!("{} messages", messages.len()))?;
    let mut numbers = source.numbers();
    numbers.dedup();
    ensure(numbers == (0..20).collect::<Vec<_>>(), || format!("{numbers:?}"))
}

#[test]
fn what_the_sink_refuses_is_held_back_and_told() -> Outcome {
    let source = Source::new(&json!({}))?;
    source.sink.script([Reply::status(400)]);
    let mut process = source.start(&[])?;
    source.pubsub.publish(b"1", &json!({}), "")?;
    source.sink.wait_for(1)?;
    let told = "the sink refuses a message";
    eventually(told, || process.output().contains(told).then_some(()))?;
    // The others go on.
    source.pubsub.publish(b"2", &json!({}), "")?;
    source.sink.wait_for(2)?;
    ensure(source.numbers() == [1, 2], || format!("{:?}", source.numbers()))?;
    // It goes back at the end, and comes to the next one at once.
    process.stop()?;
    let _process = source.start(&[])?;
    source.sink.wait_for(3)?;
    ensure(source.numbers() == [1, 2, 1], || format!("{:?}", source.numbers()))?;
    source.pubsub.wait_for_acks(2).map(drop)
}

#[test]
fn attempts_are_told_where_the_subscription_counts_them() -> Outcome {
    let dead = "projects/p/topics/dead";
    let pubsub = Pstest::start()?;
    pubsub.topic(Pstest::TOPIC)?;
    pubsub.topic(dead)?;
    pubsub.subscribe(Pstest::SUBSCRIPTION, Pstest::TOPIC, &json!({ "dead_letter": dead, "attempts": 5 }))?;
    let source = Source { pubsub, sink: Sink::start()? };
    let _process = source.start(&[])?;
    source.pubsub.publish(b"1", &json!({}), "")?;
    let event = source.sink.events(1)?.remove(0);
    ensure(data(&event)?["DeliveryAttempt"] == json!(1), || format!("{event:?}"))
}

#[test]
fn acknowledgements_are_confirmed_where_delivery_is_exactly_once() -> Outcome {
    let source = Source::new(&json!({ "exactly_once": true }))?;
    let process = source.start(&[])?;
    source.pubsub.fail("Acknowledge", "PERMISSION_DENIED", 1)?;
    source.pubsub.publish(b"1", &json!({}), "")?;
    let told = "a delivered message could not be acknowledged";
    eventually(told, || process.output().contains(told).then_some(()))?;
    // It comes again when its deadline is over, and is acknowledged then.
    let messages = within(Duration::from_secs(60), "an acknowledgement", || {
        source.pubsub.messages().ok().filter(|all| all.iter().all(|message| message.acks > 0))
    })?;
    ensure(messages[0].deliveries == 2, || format!("{messages:?}"))
}

#[test]
fn a_stop_hands_back_what_is_not_done_and_acknowledges_the_rest() -> Outcome {
    let source = Source::new(&json!({}))?;
    source.sink.script((0..5).map(|_| Reply::status(202)));
    source.sink.always(Reply::status(503));
    let mut process = source.start(&[])?;
    source.pubsub.publish_many(300, "{n}", "")?;
    source.sink.wait_for(100)?;
    process.stop()?;
    let tried: BTreeSet<_> = source.numbers().into_iter().collect();
    let messages = source.pubsub.messages()?;
    let acks = messages.iter().filter(|message| message.acks > 0).count();
    ensure(acks == 5, || format!("{acks} acknowledged, 5 accepted"))?;
    let handed_back = messages.iter().filter(|message| message.deadlines.contains(&0)).count();
    ensure(tried.len() > 5 && handed_back + 5 >= tried.len(), || {
        format!("{handed_back} handed back of {} tried", tried.len())
    })?;
    source.sink.reset();
    source.sink.always(Reply::status(202));
    let _process = source.start(&[])?;
    // What the fake had sent and nobody had read is out until its deadline is over.
    source.pubsub.wait_for_acks(300)?;
    let numbers: BTreeSet<_> = source.numbers().into_iter().collect();
    ensure(numbers.len() == 295, || format!("{} events after the stop", numbers.len()))
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a span of time in which memory would grow")]
fn memory_is_bounded_while_the_sink_stands_still() -> Outcome {
    let source = Source::new(&json!({}))?;
    source.sink.always(Reply::hang());
    let process = source.start(&[("MAX_IN_FLIGHT", "1000"), ("K_SINK_TIMEOUT", "60")])?;
    let text = format!("\"{}\"", "x".repeat(100_000));
    source.pubsub.publish_many(2_000, &text, "")?;
    source.sink.wait_for(100)?;
    std::thread::sleep(Duration::from_secs(5));
    let peak = process.memory("VmHWM")?;
    ensure(peak < 64 << 20, || format!("{peak} bytes"))
}
