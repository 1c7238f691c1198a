//! What Slack sees of the Slack source, and what reaches the sink: the real binary between a double of Slack and a sink.

#![expect(clippy::disallowed_methods, reason = "a test outside the frame: it looks at a span of time")]

use std::thread;
use std::time::{Duration, Instant};

use kit::{Adapter, Failure, Folder, Gate, Reply, Request, Response, Sink, ensure, eventually};
use peers::{Slack, slack::now};
use serde_json::{Value, json};

type Outcome = Result<(), Failure>;

struct Source {
    adapter: Adapter,
    sink: Sink,
}

impl Source {
    fn start(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let sink = Sink::start()?;
        let to = [("K_SINK", &*sink.url("/"))];
        Ok(Self { adapter: Adapter::ready("slack-source", &[&to, settings].concat())?, sink })
    }

    fn guarded() -> Result<Self, Failure> {
        Self::start(&[("SLACK_SIGNING_SECRET", Slack::SIGNING_SECRET)])
    }

    fn send(&self, request: &Request) -> Result<Response, Failure> {
        self.adapter.send(request)
    }

    fn answers(&self, request: &Request, status: u16) -> Outcome {
        let answer = self.send(request)?;
        answer.expect(status)
    }
}

fn message(text: &str) -> Value {
    json!({"type": "message", "channel": "C1", "user": "U1", "text": text, "ts": "1515449522.000016"})
}

#[test]
fn slack_can_verify_the_address() -> Outcome {
    let source = Source::guarded()?;
    let body = json!({"token": "x", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P", "type": "url_verification"});
    let answer = source.send(&Slack::request(&body))?;
    let found = (answer.status, answer.headers.get("content-type"), answer.text());
    let expected = json!({"challenge": body["challenge"]}).to_string();
    ensure(found == (200, Some("application/json"), expected), || format!("{found:?}"))?;
    source.answers(&Request::post("/slack/events").json(&body), 401)?;
    ensure(source.sink.count() == 0, || "the handshake became an event".to_owned())
}

#[test]
fn what_happens_becomes_an_event() -> Outcome {
    let source = Source::guarded()?;
    let body = Slack::callback("Ev1", &message("<@U2> & more"));
    let answer = source.send(&Slack::request(&body))?;
    ensure(answer.status == 200 && answer.body.is_empty(), || {
        format!("{} {}", answer.status, answer.text())
    })?;
    let event = source.sink.wait_for(1)?[0].event()?;
    for (name, value) in [
        ("type", "com.slack.events"),
        ("source", Slack::TEAM),
        ("id", "Ev1"),
        ("subject", "message"),
        ("comslackapiappid", Slack::APP),
        ("datacontenttype", "application/json"),
    ] {
        ensure(event.get(name) == value, || format!("{name}: {event:?}"))?;
    }
    let expected = r#"{"channel":"C1","text":"\u003c@U2\u003e \u0026 more","ts":"1515449522.000016","type":"message","user":"U1"}"#;
    ensure(event.data == expected.as_bytes(), || format!("{event:?}"))
}

#[test]
fn an_event_that_comes_again_is_delivered_once() -> Outcome {
    let source = Source::guarded()?;
    let body = Slack::callback("Ev1", &message("once"));
    source.answers(&Slack::request(&body), 200)?;
    for number in 1..4 {
        source.answers(&Slack::again(&body, number), 200)?;
    }
    source.answers(&Slack::request(&Slack::callback("Ev2", &message("once"))), 200)?;
    ensure(source.sink.count() == 2, || format!("{} deliveries", source.sink.count()))?;
    let counted = source.adapter.process.figure("trestle_duplicates_total")?;
    ensure(counted == 3, || format!("{counted} counted"))
}

#[test]
fn what_was_not_delivered_is_tried_again() -> Outcome {
    let source =
        Source::start(&[("SLACK_SIGNING_SECRET", Slack::SIGNING_SECRET), ("DELIVERY_DEADLINE", "3s")])?;
    let body = Slack::callback("Ev1", &message("at last"));
    for (reply, status) in [
        (Reply::status(503), 503),
        (Reply::status(422), 502),
        (Reply::status(401), 503),
        (Reply::close(), 503),
        (Reply::hang(), 503),
    ] {
        source.sink.always(reply);
        source.answers(&Slack::again(&body, 1), status)?;
    }
    source.sink.reset();
    for number in 2..4 {
        source.answers(&Slack::again(&body, number), 200)?;
    }
    ensure(source.sink.count() == 1, || format!("{} deliveries", source.sink.count()))
}

#[test]
fn nothing_is_acknowledged_while_its_first_delivery_is_under_way() -> Outcome {
    let source =
        Source::start(&[("SLACK_SIGNING_SECRET", Slack::SIGNING_SECRET), ("DELIVERY_DEADLINE", "60s")])?;
    let (gate, body) = (Gate::new(), Slack::callback("Ev1", &message("slow")));
    source.sink.script([Reply::status(202).held(&gate)]);
    let first = Slack::request(&body).send_later(source.adapter.address);
    source.sink.wait_for(1)?;
    let others = [1, 2].map(|number| Slack::again(&body, number).send_later(source.adapter.address));
    // Not a wait for something to happen: a span in which an early answer would show.
    thread::sleep(Duration::from_millis(200));
    let opened = Instant::now();
    gate.open();
    for asking in others.into_iter().chain([first]) {
        let answer = kit::answer(asking)?;
        ensure(answer.status == 200, || format!("answered {}", answer.status))?;
        ensure(answer.at >= opened, || "answered before the sink".to_owned())?;
    }
    ensure(source.sink.count() == 1, || format!("{} deliveries", source.sink.count()))?;

    // The first one fails for good; who waits for it gets no yes from that, but a try of its own.
    let (gate, body) = (Gate::new(), Slack::callback("Ev2", &message("slow")));
    source.sink.script([Reply::status(422).held(&gate)]);
    let first = Slack::request(&body).send_later(source.adapter.address);
    source.sink.wait_for(2)?;
    let second = Slack::again(&body, 1).send_later(source.adapter.address);
    thread::sleep(Duration::from_millis(200));
    gate.open();
    for (asking, status) in [(first, 502), (second, 200)] {
        let answer = kit::answer(asking)?;
        ensure(answer.status == status, || format!("{}, not {status}", answer.status))?;
    }
    ensure(source.sink.count() == 3, || format!("{} deliveries", source.sink.count()))
}

#[test]
fn slack_is_answered_before_it_gives_up() -> Outcome {
    let source = Source::guarded()?;
    source.sink.always(Reply::hang());
    let asked = Instant::now();
    let answer = source.send(&Slack::request(&Slack::callback("Ev1", &message("hangs"))))?;
    ensure(answer.status == 503, || format!("answered {}", answer.status))?;
    // Slack waits for 3 s; the default of other webhooks is 10 s.
    let took = answer.at.duration_since(asked);
    ensure(took < Duration::from_secs(6), || format!("answered after {took:?}"))
}

#[test]
fn other_apps_and_other_requests_make_no_events() -> Outcome {
    let source = Source::start(&[("SLACK_APP_ID", "A_OTHER")])?;
    source.answers(&Slack::request(&Slack::callback("Ev1", &message("for another app"))), 200)?;
    for request_type in ["app_rate_limited", "something_new"] {
        let body = json!({"type": request_type, "team_id": "T1", "api_app_id": "A_OTHER"});
        source.answers(&Slack::request(&body), 200)?;
    }
    ensure(source.sink.count() == 0, || "an event was sent".to_owned())?;
    for told in ["app_rate_limited", "something_new"] {
        eventually("the warning", || source.adapter.process.output().contains(told).then_some(()))?;
    }
    let source = Source::start(&[("SLACK_APP_ID", Slack::APP)])?;
    source.answers(&Slack::request(&Slack::callback("Ev1", &message("for this app"))), 200)?;
    source.sink.wait_for(1).map(drop)
}

#[test]
fn malformed_bodies_are_refused_and_harm_nobody() -> Outcome {
    let source = Source::guarded()?;
    let mut inner = Slack::callback("Ev1", &json!({"type": 7}));
    let mut bodies: Vec<String> = [
        "",
        "{",
        "[]",
        "null",
        "\"x\"",
        "{}",
        r#"{"type":"url_verification"}"#,
        r#"{"type":"event_callback"}"#,
    ]
    .map(str::to_owned)
    .into();
    bodies.push(inner.to_string());
    bodies.push("[".repeat(50_000));
    inner["event"] = json!({"type": "message"});
    for (name, value) in [("team_id", Value::Null), ("team_id", json!(7)), ("event_id", json!([]))] {
        let mut body = inner.clone();
        body[name] = value;
        bodies.push(body.to_string());
    }
    for body in bodies {
        let answer = source.send(&Slack::signed(Slack::SIGNING_SECRET, now(), &body))?;
        let shown: String = body.chars().take(100).collect();
        ensure(answer.status == 400, || format!("{shown}: {} {}", answer.status, answer.text()))?;
    }
    ensure(source.sink.count() == 0, || "an event was sent".to_owned())?;
    source.answers(&Slack::request(&Slack::callback("Ev1", &message("good"))), 200)?;
    ensure(!source.adapter.process.output().contains("panicked"), || source.adapter.process.output())
}

#[test]
fn signatures_are_good_for_five_minutes_in_both_directions() -> Outcome {
    let source = Source::guarded()?;
    let body = |number: u64| Slack::callback(&format!("Ev{number}"), &message("when")).to_string();
    for (number, seconds, status) in [
        (1, now() - 240, 200),
        (2, now() + 240, 200),
        (3, now() - 360, 401),
        (4, now() + 360, 401),
        (5, 0, 401),
        (6, u64::MAX, 401),
    ] {
        source.answers(&Slack::signed(Slack::SIGNING_SECRET, seconds, &body(number)), status)?;
    }
    ensure(source.sink.count() == 2, || format!("{} deliveries", source.sink.count()))
}

#[test]
fn without_a_secret_it_works_and_says_loudly_that_it_checks_nothing() -> Outcome {
    let source = Source::start(&[])?;
    let body = Slack::callback("Ev1", &message("unsigned"));
    source.answers(&Request::post("/").json(&body), 200)?;
    source.sink.wait_for(1)?;
    let told = source.adapter.process.output();
    ensure(told.contains("SLACK_SIGNING_SECRET is not set"), || told.clone())?;
    let source = Source::guarded()?;
    let told = source.adapter.process.output();
    ensure(!told.contains("SLACK_SIGNING_SECRET"), || told.clone())
}

#[test]
fn a_replaced_secret_holds_without_a_restart() -> Outcome {
    let folder = Folder::new()?;
    let path = folder.file("secret", "the first one\n")?;
    let source = Source::start(&[("SLACK_SIGNING_SECRET_FILE", &path)])?;
    let mut number = 0;
    let mut status = |secret: &str| {
        number += 1;
        let body = Slack::callback(&format!("Ev{number}"), &message("signed")).to_string();
        source.send(&Slack::signed(secret, now(), &body)).map(|answer| answer.status)
    };
    let found = (status("the first one")?, status("the second one")?);
    ensure(found == (200, 401), || format!("{found:?}"))?;
    folder.file("secret", "the second one\n")?;
    kit::within(Duration::from_secs(90), "the new secret", || {
        (status("the second one").ok()? == 200).then_some(())
    })?;
    let left = status("the first one")?;
    ensure(left == 401, || format!("the old secret: {left}"))
}
