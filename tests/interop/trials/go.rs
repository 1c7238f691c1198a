//! The SDK for Go on the other side.

use kit::{Event, Failure, Request, ensure};
use serde_json::json;

use crate::Named;
use crate::adapters::Adapter;
use crate::cases::{Case, cases, check_all};
use crate::peer::{Received, Receiver, send};

pub const TRIALS: &[Named] = &[
    ("it_sends_binary", || it_sends("binary")),
    ("it_sends_structured", || it_sends("structured")),
    ("it_sends_a_batch", || it_sends("batch")),
    ("it_receives_from_a_broker", it_receives_from_a_broker),
    ("it_receives_from_a_webhook_source", it_receives_from_a_webhook_source),
    ("it_receives_its_own_through_a_broker", it_receives_its_own_through_a_broker),
    ("it_does_not_encode_headers", it_does_not_encode_headers),
];

fn it_sends(mode: &str) -> Result<(), Failure> {
    let display = Adapter::display(&[])?;
    let cases = cases();
    send(&display.url("/"), mode, &cases)?;
    check_all(&cases, &display.events(cases.len())?)
}

fn events(received: Vec<Received>) -> Vec<Event> {
    received.into_iter().map(|received| received.event).collect()
}

fn it_receives_from_a_broker() -> Result<(), Failure> {
    let receiver = Receiver::start()?;
    let broker = Adapter::broker(&receiver.url())?;
    let cases = cases();
    for case in &cases {
        broker.accepts(&case.request("/"))?;
    }
    let received = receiver.events(cases.len())?;
    // What this SDK could not read in headers came in the other mode.
    for id in ["minimal", "json", "binary", "unicode"] {
        let mode =
            received.iter().find(|received| received.event.get("id") == id).map(|found| found.mode.as_str());
        let expected = if id == "unicode" { "structured" } else { "binary" };
        ensure(mode == Some(expected), || format!("{id} came in mode {mode:?}"))?;
    }
    check_all(&cases, &events(received))
}

fn it_receives_from_a_webhook_source() -> Result<(), Failure> {
    let receiver = Receiver::start()?;
    let settings = [
        ("K_SINK", receiver.url()),
        ("K_CE_OVERRIDES", r#"{"extensions":{"greeting":"grüße"}}"#.to_owned()),
        ("WEBHOOK_EVENT_TYPE", "com.example.hook".to_owned()),
        ("WEBHOOK_EVENT_SOURCE", "/hooks/1".to_owned()),
    ];
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let source = Adapter::start("webhook-source", &settings)?;
    source.accepts(&Request::post("/").json(&json!({"größe": [1, 2.5, null]})))?;
    let mut event = receiver.events(1)?.remove(0).event;
    // Of its own making, whatever they are.
    for name in ["id", "time"] {
        let own = event.attributes.remove(name);
        ensure(own.is_some_and(|value| !value.is_empty()), || format!("no {name}"))?;
    }
    event.attributes.insert("id".to_owned(), "hook".to_owned());
    let expected = Case(json!({
        "ID": "hook", "Source": "/hooks/1", "Type": "com.example.hook", "DataContentType": "application/json",
        "Extensions": {"greeting": "grüße"}, "JSON": {"größe": [1, 2.5, null]},
    }));
    expected.check(&event)
}

fn it_receives_its_own_through_a_broker() -> Result<(), Failure> {
    let receiver = Receiver::start()?;
    let broker = Adapter::broker(&receiver.url())?;
    let cases = cases();
    for mode in ["binary", "structured"] {
        send(&broker.url("/"), mode, &cases)?;
    }
    let received = events(receiver.events(2 * cases.len())?);
    ensure(received.len() == 2 * cases.len(), || format!("{} events", received.len()))?;
    for case in &cases {
        let own: Vec<_> = received.iter().filter(|event| event.get("id") == case.id()).collect();
        ensure(own.len() == 2, || format!("{} came {} times", case.id(), own.len()))?;
        own.into_iter().try_for_each(|event| case.check(event))?;
    }
    Ok(())
}

/// Known of this SDK: it writes and reads header values as they are, against section 3.1.3.2 of the HTTP binding. A
/// literal `%41` means `A` to whoever reads as the specification says; `CE_HEADER_DECODE=raw` is for such senders.
fn it_does_not_encode_headers() -> Result<(), Failure> {
    let case = |subject: &str| Case(json!({"ID": "1", "Source": "/s", "Type": "t", "Subject": subject}));
    for (decode, seen) in [("spec", "A is 100%"), ("raw", "%41 is 100%")] {
        let display = Adapter::display(&[("CE_HEADER_DECODE", decode)])?;
        send(&display.url("/"), "binary", &[case("%41 is 100%")])?;
        check_all(&[case(seen)], &display.events(1)?)?;
    }
    // In the other direction nothing is encoded, because nothing that would have to be goes into a header.
    let receiver = Receiver::start()?;
    let broker = Adapter::broker(&receiver.url())?;
    let literal = case("%41 is 100%");
    broker.accepts(&literal.request("/"))?;
    check_all(&[literal], &events(receiver.events(1)?))
}
