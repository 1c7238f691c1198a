//! A request of the Events API and the event that it becomes. Facts: Slack documentation, "Events API".

mod convert;

use chrono::{DateTime, SecondsFormat};
use common::{Event, Text, event};
use serde_json::{Map, Value, json};

use self::convert::to_json;

/// What every event is.
pub const EVENT_TYPE: &str = "com.slack.events";

/// What Slack says.
#[derive(Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "lives for a moment; a box would cost an allocation")]
pub enum Call {
    /// Somebody has entered this address at Slack: the answer must hold the challenge.
    Verification { answer: Value },
    /// Something happened that an app (by its id) is subscribed to.
    Event { app: String, event: Event },
    /// Anything else, by its type.
    Other(String),
}

/// Reads the body of a request.
///
/// # Errors
/// What is wrong with it, in words for the caller.
pub fn read(body: &[u8]) -> Result<Call, String> {
    let body = serde_json::from_slice(body).map_err(|error| format!("the body is no JSON: {error}"))?;
    let Value::Object(members) = body else { return Err("the body is no JSON object".to_owned()) };
    match required(&members, "type")? {
        "url_verification" => {
            let challenge = required(&members, "challenge")?;
            Ok(Call::Verification { answer: json!({ "challenge": challenge }) })
        }
        "event_callback" => callback(&members),
        other => Ok(Call::Other(other.to_owned())),
    }
}

fn callback(members: &Map<String, Value>) -> Result<Call, String> {
    let Some(inner @ Value::Object(inner_members)) = members.get("event") else {
        return Err("`event` is no object".to_owned());
    };
    let subject = required(inner_members, "type").map_err(|problem| format!("in `event`, {problem}"))?;
    // Of what happens in a whole organisation there is no team.
    let source = match text(members, "team_id")? {
        Some(team) => team,
        None => required(members, "enterprise_id").map_err(|_| "`team_id` is missing")?,
    };
    let id = text(members, "event_id")?.map_or_else(event::new_id, Text::from);
    let app = text(members, "api_app_id")?.unwrap_or_default();
    let time = time(members)?;
    let data = to_json(inner);
    let build = || {
        let mut event = Event::new(id, source, EVENT_TYPE)?;
        event.set("subject", subject)?;
        event.set("time", time)?;
        if !app.is_empty() {
            event.set("comslackapiappid", app)?;
        }
        event.set_data(Text::from_static("application/json"), data)?;
        Ok(event)
    };
    build()
        .map(|event| Call::Event { app: app.to_owned(), event })
        .map_err(|error: common::InvalidEvent| format!("it makes no event: {error}"))
}

/// `event_time`, in seconds; the present where there is none.
fn time(members: &Map<String, Value>) -> Result<Text, String> {
    let seconds = match members.get("event_time") {
        None | Some(Value::Null) => return Ok(event::now()),
        Some(value) => value.as_i64().ok_or("`event_time` is no whole number")?,
    };
    let time = DateTime::from_timestamp(seconds, 0).ok_or("`event_time` is no time")?;
    Ok(Text::from(time.to_rfc3339_opts(SecondsFormat::Secs, true)))
}

/// A member that is a text; empty and `null` count as absent.
fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, String> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(format!("`{name}` is no text")),
    }
}

fn required<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, String> {
    text(members, name)?.ok_or_else(|| format!("`{name}` is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From Slack's documentation, shortened.
    fn callback() -> Value {
        json!({
            "token": "XXYYZZ", "team_id": "T123ABC456", "api_app_id": "A123ABC456", "type": "event_callback",
            "event": {"type": "app_mention", "user": "U1", "text": "<@U2> is it & everything?", "ts": "1515449522.000016",
                "channel": "C1", "event_ts": "1515449522000016"},
            "event_id": "Ev123ABC456", "event_time": 1_515_449_522, "authed_users": ["U1"]
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut body = callback();
        body[name] = value;
        body
    }

    fn event(body: &Value) -> Event {
        match read(body.to_string().as_bytes()) {
            Ok(Call::Event { event, .. }) => event,
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn an_event_has_the_attributes_of_the_original() {
        let event = event(&callback());
        for (name, value) in [
            ("type", "com.slack.events"),
            ("source", "T123ABC456"),
            ("id", "Ev123ABC456"),
            ("subject", "app_mention"),
            ("time", "2018-01-08T22:12:02Z"),
            ("comslackapiappid", "A123ABC456"),
            ("datacontenttype", "application/json"),
        ] {
            assert_eq!(event.get(name), Some(value), "{name}");
        }
        let expected = r#"{"channel":"C1","event_ts":"1515449522000016","text":"\u003c@U2\u003e is it \u0026 everything?","ts":"1515449522.000016","type":"app_mention","user":"U1"}"#;
        assert_eq!(event.data().map(|data| &data[..]), Some(expected.as_bytes()));
    }

    #[test]
    fn what_may_be_missing_is_made_up() {
        for name in ["event_id", "event_time", "api_app_id"] {
            let event = event(&with(name, Value::Null));
            assert!(!event.id().is_empty() && event.get("time").is_some(), "{name}: {event:?}");
            assert_eq!(event.get("comslackapiappid").is_none(), name == "api_app_id");
        }
        let mut body = with("team_id", Value::Null);
        body["enterprise_id"] = json!("E1");
        assert_eq!(event(&body).source(), "E1");
    }

    #[test]
    fn requests_that_are_no_events_are_told_apart() {
        let answer = json!({"challenge": "3eZbrw1aB"});
        for (body, expected) in [
            (
                json!({"type": "url_verification", "token": "x", "challenge": "3eZbrw1aB"}),
                Call::Verification { answer },
            ),
            (
                json!({"type": "app_rate_limited", "team_id": "T1"}),
                Call::Other("app_rate_limited".to_owned()),
            ),
        ] {
            assert_eq!(read(body.to_string().as_bytes()), Ok(expected), "{body}");
        }
    }

    #[test]
    fn malformed_bodies_are_refused() {
        let mut texts: Vec<String> = [
            "",
            "{",
            "null",
            "7",
            "[]",
            "\"x\"",
            "{}",
            "{\"type\":7}",
            "{\"type\":\"\"}",
            "{\"type\":\"\\ud800\"}",
        ]
        .map(str::to_owned)
        .into();
        texts.push("[".repeat(100_000));
        texts.extend([json!({}), json!({"challenge": 7}), json!({"challenge": null})].map(|mut body| {
            body["type"] = json!("url_verification");
            body.to_string()
        }));
        for (name, value) in [
            ("event", Value::Null),
            ("event", json!("text")),
            ("event", json!([])),
            ("event", json!({})),
            ("event", json!({"type": null})),
            ("event", json!({"type": 7})),
            ("event", json!({"type": ["message"]})),
            ("event", json!({"type": "with\nnewline"})),
            ("team_id", Value::Null),
            ("team_id", json!("")),
            ("team_id", json!(7)),
            ("team_id", json!("no uri \u{1}")),
            ("event_id", json!(7)),
            ("event_id", json!("\u{0}")),
            ("api_app_id", json!({})),
            ("event_time", json!("1515449522")),
            ("event_time", json!(1.5)),
            ("event_time", json!(i64::MAX)),
            ("event_time", json!(i64::MIN)),
            ("event_time", json!(253_402_300_800_i64)),
        ] {
            texts.push(with(name, value).to_string());
        }
        for text in texts {
            let shown: String = text.chars().take(200).collect();
            assert!(read(text.as_bytes()).is_err(), "{shown}");
        }
        assert!(read(b"{\"type\":\"\xff\"}").is_err());
    }
}
