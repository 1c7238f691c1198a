//! What callers see of the CloudEvents target, and what reaches its endpoint: the real binary between the two.

use kit::{Adapter, Example, Failure, Folder, Reply, Response, Sink, ensure, eventually};
use serde_json::json;

type Outcome = Result<(), Failure>;

struct Target {
    adapter: Adapter,
    endpoint: Sink,
}

impl Target {
    fn start(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let endpoint = Sink::start()?;
        let url = [("CLOUDEVENTS_URL", &*endpoint.url("/base?key=1"))];
        let adapter = Adapter::listening("cloudevents-target", &[&url, settings].concat())?;
        Ok(Self { adapter, endpoint })
    }

    fn send(&self) -> Result<Response, Failure> {
        self.adapter.send(&Example::json("com.example.order", &json!({ "order": 1 })).binary(1))
    }
}

#[test]
fn the_path_is_appended_and_the_event_unchanged() -> Outcome {
    let target = Target::start(&[("CLOUDEVENTS_PATH", "/events")])?;
    ensure(target.send()?.status == 202, || "not accepted".to_owned())?;
    let requests = target.endpoint.requests();
    let request = requests.first().ok_or("nothing arrived")?;
    ensure(request.path == "/base/events?key=1", || request.path.clone())?;
    let event = request.event()?;
    let found = (event.get("id"), event.get("source"), event.get("type"));
    ensure(found == ("kit-1", "/kit", "com.example.order"), || format!("{event:?}"))?;
    ensure(request.headers.get("prefer") == Some("reply"), || format!("{:?}", request.headers))
}

#[test]
fn replies_and_statuses_are_relayed() -> Outcome {
    let target = Target::start(&[("RETRY_AFTER_MAX", "5s")])?;
    let reply = Reply::event("com.example.done", "r1").header("Content-Type", "application/json");
    target.endpoint.always(reply.body(r#"{"done":true}"#));
    let answer = target.send()?;
    let event = answer.event()?;
    ensure((answer.status, event.get("id")) == (200, "r1"), || format!("{} {event:?}", answer.status))?;
    let endpoint = |status: u16| Reply::status(status).header("Retry-After", "3600").header("Location", "/x");
    for (said, status, wait) in [
        (endpoint(200).body("ok").header("Content-Type", "text/plain"), 200, None),
        (endpoint(202), 202, None),
        (endpoint(204), 204, None),
        (endpoint(400), 400, None),
        (endpoint(402), 422, None),
        (endpoint(401), 503, Some("5")),
        (endpoint(302), 503, Some("5")),
        (endpoint(500), 503, Some("5")),
        (Reply::json(&json!({})).header("ce-specversion", "1.0").header("ce-id", "r1"), 503, Some("1")),
    ] {
        target.endpoint.reset();
        let what = format!("{said:?}");
        target.endpoint.always(said);
        let answer = target.send()?;
        let found = (answer.status, answer.headers.get("retry-after"));
        ensure(found == (status, wait), || format!("{what}: {found:?} {}", answer.text()))?;
        ensure(answer.body.is_empty() || status >= 400, || format!("{what}: {}", answer.text()))?;
        ensure(target.endpoint.count() == 1, || format!("{what}: {} attempts", target.endpoint.count()))?;
    }
    Ok(())
}

#[test]
fn what_the_endpoint_says_is_told_in_part_and_never_logged() -> Outcome {
    let target = Target::start(&[])?;
    target.endpoint.always(Reply::status(422).body("hunter2 ".repeat(1000)));
    let text = target.send()?.text();
    ensure(text.contains("hunter2") && text.len() <= 768, || text.clone())?;
    let output = target.adapter.process.output();
    ensure(output.contains("the receiver answered 422") && !output.contains("hunter2"), || output.clone())
}

#[test]
fn the_password_is_waited_for_and_read_again() -> Outcome {
    let folder = Folder::new()?;
    let path = folder.path().join("cesource").display().to_string();
    let settings =
        [("CLOUDEVENTS_BASICAUTH_USERNAME", "user"), ("CLOUDEVENTS_BASICAUTH_PASSWORD_PATH", path.as_str())];
    let mut target = Target::start(&settings)?;
    target.adapter.process.wait_for_status("/readyz", 503)?;
    ensure(target.send()?.status == 503, || "sent without a password".to_owned())?;
    ensure(target.endpoint.count() == 0, || "something arrived".to_owned())?;
    // user:secret, then user:other.
    for (password, expected) in [("secret\n", "Basic dXNlcjpzZWNyZXQ="), ("other", "Basic dXNlcjpvdGhlcg==")]
    {
        folder.file("cesource", password)?;
        target.adapter.process.wait_for_status("/readyz", 200)?;
        eventually(expected, || {
            target.send().ok()?;
            let requests = target.endpoint.requests();
            (requests.last()?.headers.get("authorization")? == expected).then_some(())
        })?;
    }
    Ok(())
}
