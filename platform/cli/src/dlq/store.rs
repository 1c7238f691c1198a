//! The pages of a broker by which its dead letters are reached.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use common::http::Client;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use pretty::Visible;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::reach;

/// The longest that a page may take, and a replay, for which a broker takes a minute.
const TIMEOUT: Duration = Duration::from_secs(60);
const REPLAY: Duration = Duration::from_secs(90);
/// The largest answer that is read. A page of a thousand has a context and a reason each.
const ANSWER_BYTES: usize = 64 << 20;
/// What is shown of a reason.
const REASON_BYTES: usize = 1024;
/// What stands for something else in a part of an address.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b'/')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?');

/// Most entries that a broker gives in one page.
pub const PAGE: usize = 1000;

/// Who asks.
#[derive(Default)]
pub struct Credentials {
    pub user: Option<String>,
    pub password: Option<String>,
}

/// The dead letters of one broker.
pub struct Store {
    client: Client,
    /// Without a slash at its end.
    base: String,
    authorization: Option<HeaderValue>,
}

/// A part of the list.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Page {
    pub entries: Vec<Json>,
    pub next: Option<String>,
}

/// Why something was not done.
#[derive(Debug)]
pub enum Problem {
    /// There is no such dead letter.
    Gone(String),
    /// The broker would not do this one.
    Kept(String),
    /// Nothing else would be done either.
    Final(String),
}

impl Problem {
    /// In words.
    pub fn into_text(self) -> String {
        match self {
            Self::Gone(text) | Self::Kept(text) | Self::Final(text) => text,
        }
    }
}

impl Store {
    /// At the address of a broker; nothing is asked yet.
    ///
    /// # Errors
    /// When there is a password and no user, or the other way round.
    pub fn new(url: &Uri, credentials: Credentials) -> Result<Self, String> {
        let authorization = match (credentials.user, credentials.password) {
            (None, None) => None,
            (Some(user), Some(password)) => {
                let text = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
                let mut value =
                    HeaderValue::from_str(&text).map_err(|_| "no such credentials can be sent")?;
                value.set_sensitive(true);
                Some(value)
            }
            (Some(_), None) => {
                return Err("a user needs a password: --password-file or TRESTLE_BROKER_PASSWORD".to_owned());
            }
            (None, Some(_)) => {
                return Err("a password needs a user: --user or TRESTLE_BROKER_USER".to_owned());
            }
        };
        let base = url.to_string().trim_end_matches('/').to_owned();
        Ok(Self { client: reach::client(url), base, authorization })
    }

    /// Those behind an id, at most so many and [`PAGE`].
    ///
    /// # Errors
    /// Why there is no such page.
    pub async fn page(
        &self,
        after: Option<&str>,
        limit: usize,
        trigger: Option<&str>,
    ) -> Result<Page, Problem> {
        let mut path = format!("/dlq?limit={}", limit.min(PAGE));
        for (name, value) in [("after", after), ("trigger", trigger)] {
            if let Some(value) = value {
                path += &format!("&{name}={}", encoded(value));
            }
        }
        let body = match self.ask(Method::GET, &path, TIMEOUT).await {
            // Of another server, which knows no such page.
            Err(Problem::Gone(_)) => {
                return Err(Problem::Final(format!("{} is no broker that keeps dead letters", self.base)));
            }
            answer => answer?,
        };
        serde_json::from_slice(&body).map_err(|_| {
            Problem::Final(format!("{} answers with something else than dead letters", self.base))
        })
    }

    /// The event in its JSON form.
    ///
    /// # Errors
    /// Why it is not to be had.
    pub async fn event(&self, id: &str) -> Result<Bytes, Problem> {
        self.ask(Method::GET, &format!("/dlq/{}", encoded(id)), TIMEOUT).await
    }

    /// Has one delivered again.
    ///
    /// # Errors
    /// Why it was not.
    pub async fn replay(&self, id: &str) -> Result<(), Problem> {
        self.ask(Method::POST, &format!("/dlq/{}/replay", encoded(id)), REPLAY).await.map(drop)
    }

    /// Deletes one.
    ///
    /// # Errors
    /// Why it was not.
    pub async fn delete(&self, id: &str) -> Result<(), Problem> {
        self.ask(Method::DELETE, &format!("/dlq/{}", encoded(id)), TIMEOUT).await.map(drop)
    }

    async fn ask(&self, method: Method, path: &str, timeout: Duration) -> Result<Bytes, Problem> {
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = method;
        let address = format!("{}{path}", self.base);
        *request.uri_mut() =
            address.parse().map_err(|_| Problem::Final(format!("{address} is no address")))?;
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let answer = self.client.send(request, timeout, ANSWER_BYTES).await;
        let answer = answer.map_err(|error| Problem::Final(format!("{}: {}", self.base, error.chain())))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer.into_body());
        }
        let reason = Visible::line(String::from_utf8_lossy(answer.body()).trim(), REASON_BYTES);
        Err(match status {
            StatusCode::UNAUTHORIZED if self.authorization.is_some() => {
                Problem::Final("the broker does not know this user and password".to_owned())
            }
            StatusCode::UNAUTHORIZED => Problem::Final(
                "the broker wants a user and a password: --user and --password-file, or TRESTLE_BROKER_USER and \
                 TRESTLE_BROKER_PASSWORD"
                    .to_owned(),
            ),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Problem::Gone(reason),
            _ if reason.is_empty() => Problem::Kept(format!("the broker answers {status}")),
            _ => Problem::Kept(format!("{}: {reason}", status.as_u16())),
        })
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}
