//! What callers see of the Slack target, and what reaches Slack: the real binary before a double of Slack.

use std::time::Duration;

use kit::{Adapter, Example, Failure, Folder, Reply, Response, ensure};
use peers::{Slack, slack::now};
use serde_json::{Value, json};

type Outcome = Result<(), Failure>;

const POST: &str = "chat.postMessage";

struct Target {
    adapter: Adapter,
    slack: Slack,
}

impl Target {
    fn start(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let slack = Slack::start()?;
        let api = [("SLACK_API_URL", &*slack.api_url())];
        Ok(Self { adapter: Adapter::ready("slack-target", &[&api, settings].concat())?, slack })
    }

    fn with_token(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        Self::start(&[&[("SLACK_TOKEN", Slack::TOKEN)], settings].concat())
    }

    fn call(&self, method: &str, arguments: &Value) -> Result<Response, Failure> {
        self.adapter.send(&Example::json(&format!("com.slack.webapi.{method}"), arguments).binary(1))
    }

    fn answers(&self, method: &str, arguments: &Value, status: u16) -> Result<Response, Failure> {
        let answer = self.call(method, arguments)?;
        ensure(answer.status == status, || {
            format!("{method} {arguments}: {} {}, not {status}", answer.status, answer.text())
        })?;
        Ok(answer)
    }
}

#[test]
fn messages_are_posted_scheduled_and_updated() -> Outcome {
    let target = Target::with_token(&[])?;
    let data = r#"{ "text": "<hi> & \u00e9",  "channel":"C1" }"#;
    let example = Example::new("com.slack.webapi.chat.postMessage", "application/json", data);
    let answer = target.adapter.send(&example.binary(1))?;
    ensure(answer.status == 202 && answer.body.is_empty(), || {
        format!("{} {}", answer.status, answer.text())
    })?;
    let request = target.slack.api.wait_for(1)?.remove(0);
    let header = |name: &str| request.headers.get(name).unwrap_or_default().to_owned();
    ensure(request.text() == data && request.path == "/api/chat.postMessage", || format!("{request:?}"))?;
    ensure(header("content-type") == "application/json; charset=utf-8", || header("content-type"))?;
    ensure(header("authorization") == format!("Bearer {}", Slack::TOKEN), || header("authorization"))?;
    let posted = target.slack.wait_for("<hi> & é")?;

    let update = json!({"channel": "C1", "text": "changed", "ts": posted["ts"]});
    target.answers("chat.update", &update, 202)?;
    target.slack.wait_for("changed")?;
    let schedule = json!({"channel": "C2", "text": "later", "post_at": now() + 3600});
    target.answers("chat.scheduleMessage", &schedule, 202)?;
    target.slack.wait_for("later")?;
    ensure(target.slack.messages().len() == 2, || format!("{:?}", target.slack.messages()))
}

#[test]
fn the_answer_is_an_event_where_it_is_asked_for() -> Outcome {
    let settings = [("EVENTS_PAYLOAD_POLICY", "always"), ("SLACK_EVENT_SOURCE", "/slack")];
    let target = Target::with_token(&settings)?;
    let answer = target.answers(POST, &json!({"channel": "C1", "text": "one"}), 200)?;
    let event = answer.event()?;
    let found = (event.get("type"), event.get("source"), event.get("category"));
    ensure(found == ("io.triggermesh.targets.response", "/slack", "success"), || format!("{event:?}"))?;
    // Its data are what an update needs.
    let said: Value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
    let update = json!({"channel": said["channel"], "ts": said["ts"], "text": "two"});
    target.answers("chat.update", &update, 200)?;
    target.slack.wait_for("two").map(drop)
}

#[test]
fn what_slack_refuses_for_good_is_told_once() -> Outcome {
    let target = Target::with_token(&[])?;
    for (method, arguments, code) in [
        (POST, json!({"channel": "C404", "text": "hunter2"}), "channel_not_found"),
        (POST, json!({"channel": "C1"}), "no_text"),
        (POST, json!({"channel": "C1", "text": "hunter2 ".repeat(6000)}), "msg_too_long"),
        ("chat.scheduleMessage", json!({"channel": "C1", "text": "x", "post_at": 1}), "time_in_past"),
        ("chat.update", json!({"channel": "C1", "text": "x", "ts": "1.2"}), "message_not_found"),
    ] {
        let before = target.slack.api.count();
        let answer = target.answers(method, &arguments, 422)?;
        ensure(answer.text().contains(code), || answer.text())?;
        ensure(answer.headers.get("retry-after").is_none(), || format!("{:?}", answer.headers))?;
        ensure(target.slack.api.count() == before + 1, || format!("{code}: asked more than once"))?;
    }
    let output = target.adapter.process.output();
    ensure(output.contains("msg_too_long") && !output.contains("hunter2"), || output.clone())
}

#[test]
fn what_is_no_call_never_reaches_slack() -> Outcome {
    let target = Target::with_token(&[])?;
    target.answers("chat.delete", &json!({"channel": "C1", "ts": "1.2"}), 422)?;
    target.answers(POST, &json!(["no", "object"]), 400)?;
    let text = Example::new("com.slack.webapi.chat.postMessage", "text/plain", "hello").binary(1);
    let answer = target.adapter.send(&text)?;
    ensure(answer.status == 415, || format!("text: {}", answer.status))?;
    ensure(target.slack.api.count() == 0, || "slack was asked".to_owned())
}

#[test]
fn a_limit_is_passed_on_with_its_time() -> Outcome {
    let target = Target::with_token(&[("RETRY_AFTER_MAX", "40s")])?;
    let arguments = json!({"channel": "C1", "text": "again"});
    for (seconds, expected) in [("30", "30"), ("3600", "40")] {
        let limited = Reply::status(429)
            .header("Retry-After", seconds)
            .header("Content-Type", "application/json")
            .body(r#"{"ok":false,"error":"ratelimited"}"#);
        target.slack.api.route(move |_| Some(limited.clone()));
        let answer = target.answers(POST, &arguments, 503)?;
        let found = answer.headers.get("retry-after");
        ensure(found == Some(expected), || format!("{found:?}"))?;
    }
    Ok(())
}

#[test]
fn what_slack_cannot_do_now_is_for_later() -> Outcome {
    let target = Target::with_token(&[("SLACK_TIMEOUT", "1s")])?;
    let said = |body: &'static str| Reply::status(200).header("Content-Type", "application/json").body(body);
    for reply in [
        said(r#"{"ok":false,"error":"internal_error"}"#),
        said(r#"{"ok":false,"error":"fatal_error","warning":["no","text"]}"#),
        said(r#"{"ok":false,"error":7}"#),
        said("{}"),
        said("<html>a proxy</html>"),
        Reply::status(500),
        Reply::status(503).body("<html>"),
        Reply::status(302).header("Location", "/elsewhere"),
        Reply::close(),
        Reply::garbage(),
        Reply::hang(),
    ] {
        let what = format!("{reply:?}");
        target.slack.api.route(move |_| Some(reply.clone()));
        let answer = target.answers(POST, &json!({"channel": "C1", "text": "x"}), 503);
        let answer = answer.map_err(|error| format!("{what}: {error}"))?;
        ensure(answer.headers.get("retry-after").is_some(), || format!("{what}: {:?}", answer.headers))?;
    }
    Ok(())
}

#[test]
fn a_token_that_was_replaced_costs_no_event() -> Outcome {
    let folder = Folder::new()?;
    let path = folder.file("token", "xoxb-expired\n")?;
    let target = Target::start(&[("SLACK_TOKEN_FILE", &path)])?;
    let arguments = json!({"channel": "C1", "text": "with the new token"});
    let answer = target.answers(POST, &arguments, 503)?;
    let told = answer.text();
    ensure(told.contains("SLACK_TOKEN") && told.contains("token_expired"), || told.clone())?;
    folder.file("token", Slack::TOKEN)?;
    kit::within(Duration::from_secs(90), "the new token", || {
        (target.call(POST, &arguments).ok()?.status == 202).then_some(())
    })?;
    target.slack.wait_for("with the new token")?;
    let output = target.adapter.process.output();
    ensure(!output.contains("xoxb"), || output.clone())
}
