//! One attempt to hand an event to a URL, and what its answer means.
//!
//! Facts: Knative data plane specification (retries, replies), CloudEvents HTTP binding, RFC 9110 for `Retry-After`.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};

use crate::{
    Event, Span, Trace,
    config::{Secret, WatchedFile},
    error::{Error, Fault},
    event::http::{DecodeError, Decoded, HeaderDecode, Mode, decode, encode, encode_batch},
    http::{Client, ClientError, Problem},
};

/// How much of an error's body is kept: what Knative puts into a dead letter, and a little more.
const KEPT_BODY: usize = 4096;
const PREFER: HeaderName = HeaderName::from_static("prefer");
const KN_NAMESPACE: HeaderName = HeaderName::from_static("kn-namespace");

/// How events are sent to one URL.
#[derive(Debug, Clone)]
pub struct SenderOptions {
    /// Time that one attempt may take, the answer included.
    pub timeout: Duration,
    /// Whether an event in the answer is wanted: `Prefer: reply` is sent, and a 2xx whose body is no event is a failure.
    pub reply: bool,
    /// Whether a 2xx whose body does not even claim to be an event is taken for one without a reply: for receivers that
    /// were not made for Knative and answer with a word or a page.
    pub lenient: bool,
    /// Largest answer that is read.
    pub max_reply_bytes: usize,
    /// Binary or structured.
    pub mode: Mode,
    /// Credentials.
    pub authorization: Option<Authorization>,
    /// The value of `Kn-Namespace`.
    pub namespace: Option<HeaderValue>,
}

impl Default for SenderOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            reply: false,
            lenient: false,
            max_reply_bytes: 8 << 20,
            mode: Mode::Auto,
            authorization: None,
            namespace: None,
        }
    }
}

/// Credentials of a sender.
#[derive(Debug, Clone)]
pub enum Authorization {
    /// A bearer token in a file that rotates; no header while the file is absent.
    BearerFile(Arc<WatchedFile>),
    /// User name and password.
    Basic(String, Secret),
}

impl Authorization {
    /// The header's value as it is now. Not sent over a path that the credentials are not meant for: redirects are
    /// never followed.
    #[must_use]
    pub fn header(&self) -> Option<HeaderValue> {
        let text = match self {
            Self::BearerFile(file) => {
                format!("Bearer {}", file.read_present().filter(|token| !token.is_empty())?)
            }
            Self::Basic(user, password) => {
                format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.read())))
            }
        };
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Reads a rotating credential again, whatever its age; false where there is nothing to read.
    fn refresh(&self) -> bool {
        match self {
            Self::BearerFile(file) => file.reread().is_some(),
            Self::Basic(..) => false,
        }
    }
}

/// An answer that is an acknowledgement.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The 2xx.
    pub status: StatusCode,
    /// The event in the answer, if one was wanted and came.
    pub reply: Option<Event>,
    /// Why the sink refused it, where the dead-letter sink took it in its place.
    pub refused: Option<Box<Failure>>,
}

/// An attempt that was not accepted.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Whose fault it is.
    pub fault: Fault,
    /// The status, where there was an answer.
    pub status: Option<StatusCode>,
    /// What the receiver asked for in `Retry-After`, unbounded.
    pub retry_after: Option<Duration>,
    /// The beginning of the answer's body.
    pub body: Bytes,
    /// Whether the time ran out.
    pub timed_out: bool,
    /// What happened, on one line.
    pub message: String,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let error = match (failure.fault, failure.status) {
            (Fault::Event, Some(status)) => Self::from_status(status, None, failure.message),
            _ => match failure.retry_after {
                Some(after) => Self::retryable(failure.message).after(after),
                None => Self::retryable(failure.message),
            },
        };
        error.with_detail(&failure.body)
    }
}

/// Sends events to one URL. Cloning is cheap, and any runtime may send.
#[derive(Debug, Clone)]
pub struct Sender {
    uri: Uri,
    client: Client,
    options: Arc<SenderOptions>,
}

impl Sender {
    /// A sender; nothing is connected yet.
    #[must_use]
    pub fn new(uri: Uri, client: Client, options: SenderOptions) -> Self {
        Self { uri, client, options: Arc::new(options) }
    }

    /// Where it sends to.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// One attempt (two where the token was refused and could be read again).
    ///
    /// # Errors
    /// When the answer is no 2xx, or there is none, or a wanted reply is no event.
    pub async fn attempt(&self, event: &Event, trace: &Trace) -> Result<Accepted, Failure> {
        self.attempt_within(event, trace, Duration::MAX).await
    }

    /// As [`attempt`](Self::attempt), for a caller who waits no longer than `limit`.
    ///
    /// # Errors
    /// As [`attempt`](Self::attempt).
    pub async fn attempt_within(
        &self,
        event: &Event,
        trace: &Trace,
        limit: Duration,
    ) -> Result<Accepted, Failure> {
        let timeout = self.options.timeout.min(limit);
        self.twice(|| (event, encode(event, self.options.mode)), trace, timeout).await
    }

    /// As [`attempt`](Self::attempt), for a batch in one request; its span is about the first of the events.
    ///
    /// # Errors
    /// As [`attempt`](Self::attempt).
    pub async fn attempt_batch(&self, events: &[Event], trace: &Trace) -> Result<Accepted, Failure> {
        let Some(first) = events.first() else {
            return Ok(Accepted { status: StatusCode::ACCEPTED, reply: None, refused: None });
        };
        self.twice(|| (first, encode_batch(events)), trace, self.options.timeout).await
    }

    async fn twice<'e>(
        &self,
        message: impl Fn() -> (&'e Event, (HeaderMap, Bytes)),
        trace: &Trace,
        timeout: Duration,
    ) -> Result<Accepted, Failure> {
        match self.exchange(message(), trace, timeout).await {
            Err(failure) if failure.status == Some(StatusCode::UNAUTHORIZED) && self.refresh() => {
                Box::pin(self.exchange(message(), trace, timeout)).await
            }
            other => other,
        }
    }

    fn refresh(&self) -> bool {
        self.options.authorization.as_ref().is_some_and(Authorization::refresh)
    }

    async fn exchange(
        &self,
        (event, message): (&Event, (HeaderMap, Bytes)),
        trace: &Trace,
        timeout: Duration,
    ) -> Result<Accepted, Failure> {
        let mut span = trace.request("send");
        span.about(event);
        // Not the whole URL: its query may hold a key.
        span.set("server.address", || self.uri.authority().map(ToString::to_string).unwrap_or_default());
        let result = self.attempt_once(self.request(message, &span), timeout).await;
        span.answered(
            result.as_ref().map_or_else(|failure| failure.status, |accepted| Some(accepted.status)),
        );
        result
    }

    async fn attempt_once(&self, request: Request<Bytes>, timeout: Duration) -> Result<Accepted, Failure> {
        match self.client.send(request, timeout, self.options.max_reply_bytes).await {
            Ok(response) => self.read(response),
            // The receiver has said yes; what it then failed to say would not have been looked at.
            Err(ClientError { status: Some(status), .. }) if status.is_success() && !self.options.reply => {
                Ok(Accepted { status, reply: None, refused: None })
            }
            Err(error) => Err(Failure {
                fault: error.status.filter(|status| !status.is_success()).map_or(Fault::Transient, Fault::of),
                status: error.status,
                retry_after: None,
                body: Bytes::new(),
                timed_out: matches!(error.problem, Problem::TimedOut(_)),
                message: error.chain(),
            }),
        }
    }

    fn request(&self, (mut headers, body): (HeaderMap, Bytes), span: &Span) -> Request<Bytes> {
        let options = &self.options;
        if options.reply {
            headers.insert(PREFER, HeaderValue::from_static("reply"));
        }
        if let Some(namespace) = &options.namespace {
            headers.insert(KN_NAMESPACE, namespace.clone());
        }
        if let Some(value) = options.authorization.as_ref().and_then(Authorization::header) {
            headers.insert(header::AUTHORIZATION, value);
        }
        span.write(&mut headers);
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        request
    }

    fn read(&self, response: Response<Bytes>) -> Result<Accepted, Failure> {
        let (parts, body) = response.into_parts();
        let failure = |fault, body: Bytes, message| Failure {
            fault,
            status: Some(parts.status),
            retry_after: retry_after(&parts.headers),
            body: body.slice(..body.len().min(KEPT_BODY)),
            timed_out: false,
            message,
        };
        if !parts.status.is_success() {
            let message = format!("the receiver answered {}", parts.status.as_u16());
            return Err(failure(Fault::of(parts.status), body, message));
        }
        let accepted = Accepted { status: parts.status, reply: None, refused: None };
        if !self.options.reply || (body.is_empty() && !parts.headers.contains_key("ce-specversion")) {
            return Ok(accepted);
        }
        match decode(&parts.headers, body.clone(), HeaderDecode::Spec) {
            Ok(Decoded::One(event)) => Ok(Accepted { reply: Some(event), ..accepted }),
            Err(DecodeError::NoEvent) if self.options.lenient => Ok(accepted),
            Ok(Decoded::Batch(_)) => Err(failure(Fault::Transient, body, "the reply is a batch".to_owned())),
            Err(error) => {
                let message = format!("the answer {} is no event: {error}", parts.status.as_u16());
                Err(failure(Fault::Transient, body, message))
            }
        }
    }
}

/// `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3).
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    Some((date.to_utc() - chrono::Utc::now()).to_std().unwrap_or_default())
}
