//! A double of Slack, whose servers nobody else can run: it signs requests as the Events API does, and answers three methods
//! of the Web API with the codes of their documentation. What it does not know of Slack no test can find out.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use kit::{Captured, Failure, Reply, Request, Sink, eventually};
use serde_json::{Value, json};
use sha2::Sha256;

/// Longest text of a message.
const MAX_TEXT: usize = 40_000;

/// A workspace with the channels `C1` and `C2` and one app.
pub struct Slack {
    /// The Web API; a test that wants other answers gives it a route of its own.
    pub api: Sink,
    messages: Arc<Mutex<Vec<Value>>>,
}

impl Slack {
    /// The token of the app.
    pub const TOKEN: &str = "xoxb-correct-horse";
    /// The signing secret of the app.
    pub const SIGNING_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    /// The id of the app.
    pub const APP: &str = "A0123ABC456";
    /// The id of the workspace.
    pub const TEAM: &str = "T123ABC456";

    /// Starts one.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> Result<Self, Failure> {
        let (api, messages) = (Sink::start()?, Arc::<Mutex<Vec<Value>>>::default());
        let kept = Arc::clone(&messages);
        api.route(move |request| {
            let mut messages = kept.lock().unwrap_or_else(PoisonError::into_inner);
            Some(Reply::json(&answer(request, &mut messages).unwrap_or_else(refusal)))
        });
        Ok(Self { api, messages })
    }

    /// The Web API, for `SLACK_API_URL`.
    #[must_use]
    pub fn api_url(&self) -> String {
        self.api.url("/api")
    }

    /// The messages as they are now, those that are scheduled among them.
    #[must_use]
    pub fn messages(&self) -> Vec<Value> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a message with this text.
    ///
    /// # Errors
    /// When it does not come.
    pub fn wait_for(&self, text: &str) -> Result<Value, Failure> {
        eventually(&format!("the message {text:?}"), || {
            self.messages().into_iter().find(|message| message["text"] == text)
        })
        .map_err(|why| format!("{why}; there are {:?}", self.messages()))
    }

    /// The body with which Slack reports something that happened.
    #[must_use]
    pub fn callback(id: &str, event: &Value) -> Value {
        json!({
            "token": "an old verification token", "team_id": Self::TEAM, "api_app_id": Self::APP,
            "type": "event_callback", "event": event, "event_id": id, "event_time": now(),
            "authorizations": [{"team_id": Self::TEAM, "is_bot": true}],
        })
    }

    /// A request of the Events API, signed now.
    #[must_use]
    pub fn request(body: &Value) -> Request {
        Self::signed(Self::SIGNING_SECRET, now(), &body.to_string())
    }

    /// The same as Slack sends it again, for the n-th time.
    #[must_use]
    pub fn again(body: &Value, number: usize) -> Request {
        Self::request(body)
            .header("X-Slack-Retry-Num", &number.to_string())
            .header("X-Slack-Retry-Reason", "http_timeout")
    }

    /// A request signed with some secret at some time.
    #[must_use]
    pub fn signed(secret: &str, seconds: u64, body: &str) -> Request {
        Request::post("/slack/events")
            .header("X-Slack-Request-Timestamp", &seconds.to_string())
            .header("X-Slack-Signature", &signature(secret, seconds, body))
            .body("application/json", body)
    }
}

/// Seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

fn signature(secret: &str, seconds: u64, body: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("v0:{seconds}:{body}").as_bytes());
    let mut text = "v0=".to_owned();
    for byte in mac.finalize().into_bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn refusal(code: &str) -> Value {
    json!({"ok": false, "error": code, "response_metadata": {"messages": [format!("[ERROR] {code}")]}})
}

/// What the Web API says to a call; `Err` is the code of a refusal.
fn answer(request: &Captured, messages: &mut Vec<Value>) -> Result<Value, &'static str> {
    let header = |name: &str| request.headers.get(name).unwrap_or_default().to_owned();
    match header("authorization").strip_prefix("Bearer ") {
        Some(Slack::TOKEN) => {}
        Some("xoxb-expired") => return Err("token_expired"),
        Some(_) => return Err("invalid_auth"),
        None => return Err("not_authed"),
    }
    if !header("content-type").starts_with("application/json") || request.method != "POST" {
        return Err("invalid_post_type");
    }
    let arguments: Value = serde_json::from_slice(&request.body).map_err(|_| "invalid_json")?;
    let text = |name: &str| arguments[name].as_str().unwrap_or_default().to_owned();
    let channel = text("channel");
    if !BTreeSet::from(["C1", "C2"]).contains(channel.as_str()) {
        return Err("channel_not_found");
    }
    match text("text").chars().count() {
        0 if arguments["blocks"].is_null() => return Err("no_text"),
        count if count > MAX_TEXT => return Err("msg_too_long"),
        _ => {}
    }
    let ts = format!("{}.{:06}", now(), messages.len() + 1);
    match request.path.strip_prefix("/api/").unwrap_or_default() {
        "chat.postMessage" => {
            let message = json!({"channel": channel, "text": text("text"), "ts": ts});
            messages.push(message.clone());
            Ok(json!({"ok": true, "channel": channel, "ts": ts, "message": message}))
        }
        "chat.scheduleMessage" => {
            let at = arguments["post_at"].as_u64().ok_or("invalid_time")?;
            if at <= now() {
                return Err("time_in_past");
            }
            messages.push(json!({"channel": channel, "text": text("text"), "post_at": at}));
            Ok(json!({"ok": true, "channel": channel, "scheduled_message_id": "Q1", "post_at": at}))
        }
        "chat.update" => {
            let ts = text("ts");
            let found = messages
                .iter_mut()
                .find(|message| message["ts"] == ts.as_str() && message["channel"] == channel.as_str());
            found.ok_or("message_not_found")?["text"] = text("text").into();
            Ok(json!({"ok": true, "channel": channel, "ts": ts, "text": text("text")}))
        }
        _ => Err("unknown_method"),
    }
}
