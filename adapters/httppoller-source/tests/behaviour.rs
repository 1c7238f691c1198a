//! What the endpoint is asked and what the sink gets for its answers: the real binary between the two.

use kit::{Captured, Failure, Folder, Process, Reply, Sink, ensure, eventually};

type Outcome = Result<(), Failure>;

/// An endpoint, a sink and a folder for positions; what is started between them may come and go.
struct Poller {
    endpoint: Sink,
    sink: Sink,
    folder: Folder,
}

impl Poller {
    fn new() -> Result<Self, Failure> {
        Ok(Self { endpoint: Sink::start()?, sink: Sink::start()?, folder: Folder::new()? })
    }

    fn start(&self, settings: &[(&str, &str)]) -> Result<Process, Failure> {
        let positions = self.folder.path().join("positions").display().to_string();
        let base = [
            ("HTTPPOLLER_EVENT_TYPE", "com.example.answer"),
            ("HTTPPOLLER_EVENT_SOURCE", "/answers"),
            ("HTTPPOLLER_ENDPOINT", &*self.endpoint.url("/news?key=1")),
            ("HTTPPOLLER_METHOD", "GET"),
            ("HTTPPOLLER_INTERVAL", "50ms"),
            ("CHECKPOINT_DIR", &*positions),
            ("K_SINK", &*self.sink.url("/")),
        ];
        Process::start("httppoller-source", &[], &[&base, settings].concat())
    }

    /// Waits until the endpoint was asked that often after now, and gives the last request.
    fn asked_again(&self, times: usize) -> Result<Captured, Failure> {
        let count = self.endpoint.count() + times;
        self.endpoint.wait_for(count)?.pop().ok_or_else(|| "nothing was asked".to_owned())
    }
}

/// Answers `version` once, and 304 to who has it.
fn serve(endpoint: &Sink, version: &'static str) {
    endpoint.route(move |request| {
        let etag = format!("\"{version}\"");
        let known = request.headers.get("if-none-match") == Some(&etag);
        let reply = if known { Reply::status(304) } else { Reply::status(200).body(version) };
        Some(reply.header("ETag", &etag).header("Content-Type", "text/plain"))
    });
}

#[test]
fn an_answer_becomes_an_event_once_also_over_a_restart() -> Outcome {
    let poller = Poller::new()?;
    serve(&poller.endpoint, "one");
    let mut process = poller.start(&[])?;
    let event = poller.sink.events(1)?.remove(0);
    let found = (event.get("type"), event.get("source"), event.get("datacontenttype"), event.data.as_slice());
    ensure(found == ("com.example.answer", "/answers", "text/plain", b"one"), || format!("{event:?}"))?;
    poller.asked_again(3)?;
    process.stop()?;

    let asked = poller.endpoint.count();
    let _process = poller.start(&[])?;
    let request = poller.endpoint.wait_for(asked + 2)?.swap_remove(asked);
    let found = request.headers.get("if-none-match");
    ensure(found == Some("\"one\""), || format!("asked with {found:?} after the restart"))?;
    serve(&poller.endpoint, "two");
    let events = poller.sink.events(2)?;
    ensure(events.len() == 2 && events[1].data == b"two", || format!("{events:?}"))?;
    ensure(events[0].get("id") != events[1].get("id"), || "one id for two documents".to_owned())
}

#[test]
fn nothing_moves_on_before_the_sink_has_accepted() -> Outcome {
    let poller = Poller::new()?;
    serve(&poller.endpoint, "one");
    poller.sink.always(Reply::status(503));
    let process = poller.start(&[])?;
    let refused = poller.sink.events(2)?;
    let asked = poller.endpoint.count();
    ensure(asked == 1, || format!("asked {asked} times while an event was out"))?;
    drop(process);
    let count = poller.sink.count();
    poller.sink.always(Reply::status(202));
    let _process = poller.start(&[])?;
    let again = poller.sink.wait_for(count + 1)?[count].event()?;
    let same = again.get("id") == refused[0].get("id") && again.data == b"one";
    ensure(same, || format!("{refused:?}, then {again:?}"))?;
    let request = poller.asked_again(1)?;
    ensure(request.headers.get("if-none-match") == Some("\"one\""), || format!("{request:?}"))
}

#[test]
fn every_answer_without_validators_is_an_event() -> Outcome {
    let poller = Poller::new()?;
    poller.endpoint.always(Reply::status(201).body("[]"));
    let _process = poller.start(&[("HTTPPOLLER_METHOD", "POST")])?;
    let events = poller.sink.events(3)?;
    let mut ids: Vec<_> = events.iter().map(|event| event.get("id")).collect();
    ids.dedup();
    ensure(ids.len() == events.len(), || format!("{ids:?}"))?;
    for event in &events {
        let found = (event.get("datacontenttype"), event.data.as_slice());
        ensure(found == ("application/json", b"[]"), || format!("{event:?}"))?;
    }
    let request = poller.asked_again(1)?;
    ensure(request.method == "POST" && request.body.is_empty(), || format!("{request:?}"))
}

#[test]
fn the_request_carries_what_was_configured() -> Outcome {
    let poller = Poller::new()?;
    let _process = poller.start(&[
        ("HTTPPOLLER_HEADERS", "Accept:text/html, */*,Host:elsewhere,X-Date:Mon, 02 Jan 2006 15:04:05 GMT"),
        ("HTTPPOLLER_BASICAUTH_USERNAME", "user"),
        ("HTTPPOLLER_BASICAUTH_PASSWORD", "secret"),
    ])?;
    let request = poller.asked_again(1)?;
    ensure(request.path == "/news?key=1" && request.method == "GET", || format!("{request:?}"))?;
    for (name, expected) in [
        ("accept", "text/html, */*"),
        ("x-date", "Mon, 02 Jan 2006 15:04:05 GMT"),
        ("authorization", "Basic dXNlcjpzZWNyZXQ="),
        ("host", &poller.endpoint.address().to_string()),
    ] {
        let found = request.headers.get(name);
        ensure(found == Some(expected), || format!("{name} is {found:?}"))?;
    }
    Ok(())
}

#[test]
fn answers_that_are_no_success_are_no_events_and_never_shown() -> Outcome {
    let poller = Poller::new()?;
    let elsewhere = poller.sink.url("/elsewhere");
    let secret = "hunter2 ".repeat(1000);
    poller.endpoint.script([
        Reply::status(302).header("Location", &elsewhere).body(&*secret),
        Reply::status(401).body(&*secret),
        Reply::status(404).body(&*secret),
        Reply::status(503).body(&*secret),
        Reply::status(200).body("x".repeat(2000)),
        Reply::endless(200),
        Reply::hang(),
        Reply::close(),
        Reply::garbage(),
    ]);
    poller.endpoint.always(Reply::status(200).body("at last"));
    let settings = [("HTTPPOLLER_MAX_RESPONSE_BYTES", "1024"), ("HTTPPOLLER_TIMEOUT", "3s")];
    let process = poller.start(&settings)?;
    let event = poller.sink.events(1)?.remove(0);
    ensure(event.data == b"at last", || format!("{event:?}"))?;
    let output = process.output();
    ensure(!output.contains("hunter2") && !output.contains("key=1"), || output.clone())?;
    for reason in ["the endpoint answered 302", "larger than 1024 bytes", "no complete answer within 3000 ms"]
    {
        ensure(output.contains(reason), || format!("no {reason:?} in\n{output}"))?;
    }
    Ok(())
}

#[test]
fn a_folder_for_positions_must_be_writable_when_it_was_set() -> Outcome {
    let poller = Poller::new()?;
    let below = format!("{}/below", poller.folder.file("file", "")?);
    let mut process = poller.start(&[("CHECKPOINT_DIR", &below)])?;
    let code = process.wait()?;
    let output = process.output();
    ensure(code == 78 && output.contains("CHECKPOINT_DIR must be a folder"), || format!("{code}: {output}"))?;
    ensure(output.lines().count() == 1 && poller.endpoint.count() == 0, || output.clone())
}

#[test]
fn a_stop_does_not_wait_for_an_endpoint_that_hangs() -> Outcome {
    let poller = Poller::new()?;
    poller.endpoint.always(Reply::hang());
    let mut process = poller.start(&[("HTTPPOLLER_TIMEOUT", "1h")])?;
    poller.endpoint.wait_for(1)?;
    process.stop()
}

#[test]
fn what_retry_after_asks_for_is_waited_for() -> Outcome {
    let poller = Poller::new()?;
    poller.endpoint.script([Reply::status(503).header("Retry-After", "2")]);
    let _process = poller.start(&[])?;
    let requests = poller.endpoint.wait_for(2)?;
    let gap = requests[1].at.duration_since(requests[0].at).as_millis();
    // Both ends are taken at the endpoint; a tenth is for the scheduler between answer and clock.
    ensure(gap >= 1900, || format!("asked again after {gap} ms"))
}

#[test]
fn certificates_are_looked_at_unless_told_otherwise() -> Outcome {
    let authority = kit::Authority::new()?;
    let mut poller = Poller::new()?;
    poller.endpoint = Sink::start_tls(&authority)?;
    for settings in
        [vec![("HTTPPOLLER_CA_CERTIFICATE", authority.pem())], vec![("HTTPPOLLER_SKIP_VERIFY", "true")]]
    {
        let count = poller.sink.count();
        let _process = poller.start(&settings)?;
        poller.sink.events(count + 1).map_err(|error| format!("{settings:?}: {error}"))?;
    }
    // The certificate wins over skipping.
    let other = kit::Authority::new()?;
    for settings in
        [vec![], vec![("HTTPPOLLER_CA_CERTIFICATE", other.pem()), ("HTTPPOLLER_SKIP_VERIFY", "true")]]
    {
        let (asked, failed) = (poller.endpoint.count(), poller.endpoint.failed_handshakes());
        let _process = poller.start(&settings)?;
        eventually("a refused certificate", || (poller.endpoint.failed_handshakes() > failed).then_some(()))?;
        ensure(poller.endpoint.count() == asked, || format!("asked in spite of {settings:?}"))?;
    }
    Ok(())
}
