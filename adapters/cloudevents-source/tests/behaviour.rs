//! What senders see of the CloudEvents source, and what reaches its sink: the real binary between the two.

use kit::{Adapter, Example, Failure, Folder, Process, Reply, Request, Response, Sink, ensure, eventually};
use serde_json::json;

type Outcome = Result<(), Failure>;

/// The basic credentials `user:secret`, `user:other`, `user:` and `absent:`.
const SECRET: &str = "Basic dXNlcjpzZWNyZXQ=";
const OTHER: &str = "Basic dXNlcjpvdGhlcg==";
const EMPTY: &str = "Basic dXNlcjo=";
const ABSENT: &str = "Basic YWJzZW50Og==";

struct Source {
    adapter: Adapter,
    sink: Sink,
}

impl Source {
    fn start(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let sink = Sink::start()?;
        let to = [("K_SINK", &*sink.url("/"))];
        Ok(Self { adapter: Adapter::ready("cloudevents-source", &[&to, settings].concat())?, sink })
    }

    /// Sends an event with these credentials and gives the status.
    fn send_as(&self, authorization: &str) -> Result<u16, Failure> {
        let answer = self.send(&event().header("Authorization", authorization))?;
        let challenged = answer.headers.get("www-authenticate").is_some();
        ensure(challenged == (answer.status == 401), || format!("{} {:?}", answer.status, answer.headers))?;
        Ok(answer.status)
    }

    fn send(&self, request: &Request) -> Result<Response, Failure> {
        self.adapter.send(request)
    }
}

fn event() -> Request {
    Example::json("com.example.order", &json!({ "order": 1 })).binary(1)
}

fn credentials(user: &str, file: &str) -> serde_json::Value {
    json!({ "Key": user, "MountedValueFile": file })
}

#[test]
fn only_listed_users_with_their_present_password_may_send() -> Outcome {
    let folder = Folder::new()?;
    let file = folder.file("cesource", "")?;
    let list = json!([credentials("absent", &format!("{file}-none")), credentials("user", &file)]);
    let source = Source::start(&[("CLOUDEVENTS_BASICAUTH_CREDENTIALS", &list.to_string())])?;
    for authorization in [EMPTY, ABSENT, SECRET, "Bearer x", ""] {
        ensure(source.send_as(authorization)? == 401, || format!("{authorization} with an empty file"))?;
    }
    folder.file("cesource", "secret\n")?;
    eventually("the first password", || (source.send_as(SECRET).ok()? == 202).then_some(()))?;
    folder.file("cesource", "other")?;
    eventually("the second password", || (source.send_as(OTHER).ok()? == 202).then_some(()))?;
    for authorization in [SECRET, EMPTY, ABSENT] {
        // The waiting above was so many wrong attempts that the next may find guessing limited.
        let status = source.send_as(authorization)?;
        ensure(matches!(status, 401 | 429), || format!("{authorization} after the rotation: {status}"))?;
    }
    ensure(source.sink.count() == 2, || format!("{} events at the sink", source.sink.count()))
}

#[test]
fn requests_above_the_rate_are_told_when_to_come_again() -> Outcome {
    let source = Source::start(&[("CLOUDEVENTS_RATELIMITER_RPS", "1")])?;
    let refused =
        eventually("a refusal", || source.send(&event()).ok().filter(|answer| answer.status != 202))?;
    ensure((refused.status, refused.text().as_str()) == (429, "limit exceeded"), || refused.text())?;
    let wait = refused.headers.get("retry-after");
    ensure(wait == Some("1"), || format!("Retry-After: {wait:?}"))?;
    eventually("the next second", || (source.send(&event()).ok()?.status == 202).then_some(()))
}

#[test]
fn other_paths_are_not_found() -> Outcome {
    let source = Source::start(&[("CLOUDEVENTS_PATH", "in/")])?;
    for (path, status) in [("/in/", 202), ("/in/a", 202), ("/in", 404), ("/", 404), ("/other", 404)] {
        let mut request = event();
        path.clone_into(&mut request.path);
        let answer = source.send(&request)?;
        ensure(answer.status == status, || format!("{path}: {}", answer.status))?;
    }
    ensure(source.sink.count() == 2, || format!("{} events at the sink", source.sink.count()))
}

#[test]
fn the_answer_is_that_of_the_sink_after_one_attempt() -> Outcome {
    let source = Source::start(&[("RETRY_AFTER_MAX", "5s"), ("K_CE_OVERRIDES", "null")])?;
    for (sink, status, wait) in [
        (200, 200, None),
        (202, 202, None),
        (204, 204, None),
        (400, 400, None),
        (402, 422, None),
        (413, 413, None),
        (404, 503, Some("5")),
        (401, 503, Some("5")),
        (302, 503, Some("5")),
        (500, 503, Some("5")),
    ] {
        source.sink.reset();
        source
            .sink
            .always(Reply::status(sink).header("Retry-After", "3600").header("Location", "/elsewhere"));
        let answer = source.send(&event())?;
        let found = (answer.status, answer.headers.get("retry-after"));
        ensure(found == (status, wait), || format!("sink {sink}: {found:?}"))?;
        ensure(source.sink.count() == 1, || format!("sink {sink}: {} attempts", source.sink.count()))?;
    }
    Ok(())
}

#[test]
fn what_the_sink_refuses_goes_to_the_dead_letter_sink() -> Outcome {
    let letters = Sink::start()?;
    let source = Source::start(&[("DEAD_LETTER_SINK", &letters.url("/letters"))])?;
    source.sink.always(Reply::status(422).body("no"));
    ensure(source.send(&event())?.status == 202, || "the dead letter was not accepted".to_owned())?;
    let requests = letters.requests();
    let letter = requests.first().ok_or("no dead letter")?.event()?;
    ensure(letter.get("knativeerrorcode") == "422", || format!("{letter:?}"))
}

#[test]
fn without_a_sink_it_does_not_start() -> Outcome {
    let mut process = Process::bare("cloudevents-source", &[])?;
    let code = process.wait()?;
    let named = process.output().contains("K_SINK is missing");
    ensure(code == 78 && named, || format!("{code}: {}", process.output()))
}
