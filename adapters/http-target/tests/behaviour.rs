//! What callers see of the HTTP target, and what reaches its endpoint: the real binary between the two.

use std::sync::atomic::{AtomicUsize, Ordering};

use kit::{Adapter, Example, Failure, Reply, Response, Sink, ensure};
use serde_json::{Value, json};

type Outcome = Result<(), Failure>;

struct Target {
    adapter: Adapter,
    endpoint: Sink,
}

impl Target {
    fn start(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        Self::before(Sink::start()?, settings)
    }

    fn before(endpoint: Sink, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let url = endpoint.url("/base?key=1");
        let base = [
            ("HTTP_EVENT_TYPE", "com.example.answer"),
            ("HTTP_EVENT_SOURCE", "/answers"),
            ("HTTP_URL", &url),
            ("HTTP_METHOD", "PUT"),
        ];
        Ok(Self { adapter: Adapter::ready("http-target", &[&base, settings].concat())?, endpoint })
    }

    fn start_with_oauth() -> Result<Self, Failure> {
        let endpoint = Sink::start()?;
        let url = endpoint.url("/token");
        let settings = [
            ("HTTP_OAUTH_TOKEN_URL", &*url),
            ("HTTP_OAUTH_CLIENT_ID", "id"),
            ("HTTP_OAUTH_CLIENT_SECRET", "hunter2"),
            ("HTTP_OAUTH_SCOPE", "a,b"),
        ];
        Self::before(endpoint, &settings)
    }

    fn request(&self, data: &Value) -> Result<Response, Failure> {
        let request =
            Example::json("io.triggermesh.http.request", data).binary(1).header("ce-statefulid", "s1");
        self.adapter.send(&request)
    }

    /// How many requests reached a path.
    fn count(&self, path: &str) -> usize {
        self.endpoint.requests().iter().filter(|request| request.path.starts_with(path)).count()
    }
}

#[test]
fn an_event_says_what_to_send_and_gets_the_answer() -> Outcome {
    let target = Target::start(&[("HTTP_HEADERS", "X-List:a, b,X-Date:Mon, 02 Jan 2006 15:04:05 GMT")])?;
    target.endpoint.always(Reply::status(201).header("Content-Type", "text/csv").body("a;b"));
    let data =
        json!({"path_suffix": "x/y", "query_string": "q=1", "body": {"n": 1}, "headers": {"X-List": "c"}});
    let answer = target.request(&data)?;
    let event = answer.event()?;
    let found = (answer.status, event.get("type"), event.get("source"), event.get("statefulid"));
    ensure(found == (200, "com.example.answer", "/answers", "s1"), || format!("{event:?}"))?;
    let found = (answer.text(), answer.headers.get("content-type"));
    ensure(found == ("a;b".to_owned(), Some("text/csv")), || format!("{found:?}"))?;
    let requests = target.endpoint.requests();
    let request = requests.first().ok_or("nothing arrived")?;
    let found = (request.method.as_str(), request.path.as_str(), request.text());
    ensure(found == ("PUT", "/base/x/y?key=1&q=1", r#"{"n":1}"#.to_owned()), || format!("{found:?}"))?;
    let found = (request.headers.get("x-list"), request.headers.get("x-date"));
    ensure(found == (Some("c"), Some("Mon, 02 Jan 2006 15:04:05 GMT")), || format!("{found:?}"))
}

#[test]
fn failures_are_told_once_and_never_logged() -> Outcome {
    let target = Target::start(&[("RETRY_AFTER_MAX", "5s")])?;
    for (endpoint, status, wait) in [
        (302, 503, Some("5")),
        (400, 422, None),
        (401, 422, None),
        (404, 422, None),
        (408, 503, Some("5")),
        (413, 413, None),
        (415, 415, None),
        (429, 503, Some("5")),
        (500, 503, Some("5")),
    ] {
        target.endpoint.reset();
        let reply = Reply::status(endpoint).header("Retry-After", "3600").header("Location", "/elsewhere");
        target.endpoint.always(reply.body("hunter2 ".repeat(1000)));
        let answer = target.request(&json!({}))?;
        let found = (answer.status, answer.headers.get("retry-after"));
        ensure(found == (status, wait), || format!("{endpoint}: {found:?}"))?;
        let text = answer.text();
        let told = text.contains(&endpoint.to_string()) && text.matches("hunter2").count() == 64;
        ensure(told && text.len() <= 768, || format!("{endpoint}: {text}"))?;
        ensure(target.endpoint.count() == 1, || format!("{endpoint}: {} requests", target.endpoint.count()))?;
    }
    let output = target.adapter.process.output();
    ensure(output.contains("the endpoint answered 404") && !output.contains("hunter2"), || output.clone())
}

#[test]
fn an_event_cannot_replace_credentials() -> Outcome {
    let basic = [("HTTP_BASICAUTH_USERNAME", "user"), ("HTTP_BASICAUTH_PASSWORD", "secret")];
    let header = [("HTTP_HEADERS", "authorization:Key mine")];
    for (settings, expected) in
        [(&basic[..], "Basic dXNlcjpzZWNyZXQ="), (&header[..], "Key mine"), (&[], "Key of the event")]
    {
        let target = Target::start(settings)?;
        target.request(&json!({"headers": {"Authorization": "Key of the event"}}))?;
        let requests = target.endpoint.requests();
        let found = requests.first().and_then(|request| request.headers.get("authorization"));
        ensure(found == Some(expected), || format!("{found:?} in place of {expected}"))?;
    }
    // Where there are credentials, they may have been rotated: no event is lost by that.
    let target = Target::start(&basic)?;
    target.endpoint.always(Reply::status(403));
    let status = target.request(&json!({}))?.status;
    ensure(status == 503, || format!("403 becomes {status}"))
}

/// A token endpoint that grants `t1`, `t2` and so on, beside an endpoint that answers by the token.
fn grant(target: &Target, answer: impl Fn(&str) -> Reply + Send + 'static) {
    let granted = AtomicUsize::new(0);
    target.endpoint.route(move |request| {
        if request.path != "/token" {
            return Some(answer(request.headers.get("authorization").unwrap_or_default()));
        }
        let number = granted.fetch_add(1, Ordering::SeqCst) + 1;
        Some(Reply::json(&json!({"access_token": format!("t{number}"), "expires_in": 3600})))
    });
}

#[test]
fn one_token_serves_all_until_it_is_refused() -> Outcome {
    let target = Target::start_with_oauth()?;
    grant(&target, |token| Reply::status(if token.starts_with("Bearer t") { 200 } else { 403 }));
    for answer in kit::at_once(0..20, |_| target.request(&json!({})))? {
        ensure(answer.status == 200, || format!("answered {}", answer.status))?;
    }
    ensure(target.count("/token") == 1, || format!("{} tokens", target.count("/token")))?;
    let requests = target.endpoint.requests();
    let asked = requests.iter().find(|request| request.path == "/token").ok_or("no token was asked for")?;
    let found = (asked.method.as_str(), asked.text(), asked.headers.get("authorization"));
    // id:hunter2
    let expected =
        ("POST", "grant_type=client_credentials&scope=a+b".to_owned(), Some("Basic aWQ6aHVudGVyMg=="));
    ensure(found == expected, || format!("{found:?}"))
}

#[test]
fn a_refused_token_is_fetched_anew_once() -> Outcome {
    let target = Target::start_with_oauth()?;
    grant(&target, |token| Reply::status(if token == "Bearer t1" { 401 } else { 200 }));
    for _ in 0..3 {
        let status = target.request(&json!({}))?.status;
        ensure(status == 200, || format!("answered {status}"))?;
    }
    let found = (target.count("/token"), target.count("/base"));
    ensure(found == (2, 4), || format!("{found:?} tokens and requests"))?;

    let target = Target::start_with_oauth()?;
    grant(&target, |_| Reply::status(401));
    let status = target.request(&json!({}))?.status;
    let found = (status, target.count("/token"), target.count("/base"));
    ensure(found == (503, 2, 2), || format!("{found:?}"))
}

#[test]
fn a_token_endpoint_that_refuses_or_is_down_costs_no_event() -> Outcome {
    let target = Target::start_with_oauth()?;
    for reply in [Reply::status(401).body(r#"{"error":"hunter2"}"#), Reply::status(500), Reply::close()] {
        let what = format!("{reply:?}");
        target.endpoint.always(reply);
        let answer = target.request(&json!({}))?;
        ensure(answer.status == 503, || format!("{what}: {}", answer.status))?;
        ensure(!answer.text().contains("hunter2"), || answer.text())?;
    }
    ensure(target.count("/base") == 0, || "called without a token".to_owned())?;
    let output = target.adapter.process.output();
    ensure(!output.contains("hunter2"), || output.clone())
}
