//! What an adapter is: small traits that say what the outside system is like. The frame decides when.

mod batch;
mod log;
mod queue;

use std::{
    future::{Future, ready},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{Response, StatusCode, header, request::Parts};

use crate::{
    Event, InvalidEvent, Text, Trace,
    config::{Config, ConfigError},
    error::Error,
    event,
    info::Info,
    send::{Outbox, Sink},
    stop::Stop,
};

pub use batch::{BatchLimits, BatchTarget};
pub use log::{Assignment, LogSource, Record};
pub use queue::{Message, QueueLimits, QueueSource};

/// An HTTP answer.
pub type Answer = Response<Bytes>;

/// An answer with a status and no body.
#[must_use]
pub fn answer(status: StatusCode) -> Answer {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}

/// An answer with a status and a line of plain text.
#[must_use]
pub fn text_answer(status: StatusCode, text: impl Into<String>) -> Answer {
    let mut answer = answer(status);
    *answer.body_mut() = Bytes::from(text.into());
    answer
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// What all adapters have: constants, a configuration, a way to be made and a first contact.
pub trait Adapter: Sized + Send + Sync + 'static {
    /// What it is; documentation, manifests and charts come from this.
    const INFO: Info;
    /// Its environment.
    type Config: Config;

    /// Makes it; no I/O beyond reading files that the configuration names.
    ///
    /// # Errors
    /// What is wrong with the configuration; the process ends with 78.
    fn new(config: Self::Config) -> Result<Self, ConfigError>;

    /// The first contact with the outside system; the frame tries again until it succeeds.
    fn connect(&self) -> impl Future<Output = Result<(), Error>> + Send {
        ready(Ok(()))
    }

    /// The end of what is in work and needs more requests to be done, such as an answer that comes as an event: waited for
    /// once the process has been asked to stop, before the listener closes. After `patience` it gives up by itself.
    fn settled(&self, patience: Duration) -> impl Future<Output = ()> + Send {
        let _ = patience;
        ready(())
    }

    /// Whether it can reach what it cannot work without, once it is connected; readiness says so. For those who hold
    /// events elsewhere: a target whose outside system is down stays ready and answers 503.
    fn is_ready(&self) -> bool {
        true
    }

    /// Pages of its own beside events and health, such as a listing for people: paths, exact or with a last part `{any}`,
    /// and what answers them.
    fn pages(self: &Arc<Self>) -> Vec<(&'static str, axum::routing::MethodRouter)> {
        Vec::new()
    }
}

/// A source that is called by the outside system (Slack, GitHub, SNS, any webhook).
///
/// The caller gets its 2xx only after the sink has accepted every event, within `DELIVERY_DEADLINE`; else 502 when the
/// sink refuses an event for good and there is no dead-letter sink, 503 when it is down.
pub trait WebhookSource: Adapter {
    /// The default of `DELIVERY_DEADLINE`: less than the vendor waits for an answer.
    const DEADLINE: Duration = Duration::from_secs(10);
    /// How many events are remembered by source and id once the sink has accepted them: one that the vendor sends again is
    /// acknowledged and not delivered a second time. For vendors that repeat an event under the same id.
    const REMEMBERED: usize = 0;

    /// Reads one request.
    fn receive(&self, request: http::Request<Bytes>) -> impl Future<Output = Received> + Send;
}

/// What a request to a webhook source was.
#[derive(Debug)]
pub enum Received {
    /// Events, and the answer once the sink has accepted all of them.
    Events(Vec<Event>, Answer),
    /// Nothing to deliver: a handshake, something to ignore, a refusal.
    Answer(Answer),
}

/// Takes events out, or changes them.
pub trait Target: Adapter {
    /// The answer to an event that is done and has no reply.
    const ACCEPTED: StatusCode = StatusCode::ACCEPTED;
    /// Whether a batch is handled as a whole. Else its events are handled one after the other, up to the first that fails.
    const TAKES_BATCHES: bool = false;

    /// Looks at the head of a request before its body is read: path, credentials, rate.
    ///
    /// # Errors
    /// The answer that refuses the request.
    fn admit(&self, request: &Parts) -> Result<(), Answer> {
        let _ = request;
        Ok(())
    }

    /// Handles one event. `Ok` means that the outside system has it.
    fn handle(&self, event: Event, context: &Context) -> impl Future<Output = Result<Reply, Error>> + Send;

    /// Handles the events of a batch, all of them or none, as far as the outside system can: on an error the caller sends
    /// all of them again. Called where [`TAKES_BATCHES`](Self::TAKES_BATCHES) is set.
    fn handle_batch(
        &self,
        events: Vec<Event>,
        context: &Context,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (events, context);
        ready(Err(Error::permanent("taking a batch as a whole")))
    }

    /// Work beside the requests; runs from the first contact on, and the process ends when it has returned.
    ///
    /// An error after the process was asked to stop means that something was lost: exit code 1.
    fn run(self: &Arc<Self>, stop: Stop) -> impl Future<Output = Result<(), Error>> + Send {
        async move {
            stop.closed().await;
            Ok(())
        }
    }
}

/// What a target gives back.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "lives for a moment; a box would cost an allocation")]
pub enum Reply {
    /// Done, nothing to say.
    Done,
    /// Done, and the caller gets this 2xx without a body: that of whoever has the event now.
    Status(StatusCode),
    /// Done, and this event is the reply.
    Event(Event),
    /// Done, and these events are the reply: for callers that [take a batch](Context::takes_batch).
    Events(Vec<Event>),
}

impl Reply {
    /// The event by which the originals said that all went well: `category` is `success`, the data are JSON.
    ///
    /// # Errors
    /// When the source cannot be that of an event.
    pub fn success(
        source: impl Into<Text>,
        event_type: &'static str,
        data: impl Into<Bytes>,
    ) -> Result<Self, Error> {
        let event = || -> Result<Event, InvalidEvent> {
            let mut event = Event::new(event::new_id(), source, Text::from_static(event_type))?;
            event.set("time", event::now())?;
            event.set("category", Text::from_static("success"))?;
            event.set_data(Text::from_static("application/json"), data)?;
            Ok(event)
        };
        event().map(Self::Event).map_err(|error| Error::permanent("making the reply event").caused_by(error))
    }
}

/// The request that an event came with.
#[derive(Debug)]
pub struct Context {
    /// Its head.
    pub request: Parts,
    /// Its trace.
    pub trace: Trace,
    pub(crate) sink: Option<Arc<Sink>>,
    pub(crate) wants_reply: bool,
}

impl Context {
    /// The sink, when `K_SINK` names one.
    #[must_use]
    pub fn sink(&self) -> Option<&Sink> {
        self.sink.as_deref()
    }

    /// What becomes of an event that was made of the one that came: it is the answer, or, where there is a sink, that is
    /// given it and its status is the answer.
    ///
    /// # Errors
    /// When the sink does not take it.
    pub async fn hand_on(&self, mut event: Event) -> Result<Reply, Error> {
        let Some(sink) = self.sink() else { return Ok(Reply::Event(event)) };
        let accepted = sink.attempt(&mut event, &self.trace).await?;
        Ok(Reply::Status(accepted.status))
    }

    /// Whether the caller takes several events as the answer: it sent a batch, or accepts one.
    #[must_use]
    pub fn takes_batch(&self) -> bool {
        let headers = &self.request.headers;
        let values = headers.get_all(header::CONTENT_TYPE).iter().chain(headers.get_all(header::ACCEPT));
        let batch = event::http::BATCH.as_bytes();
        values
            .into_iter()
            .any(|value| value.as_bytes().windows(batch.len()).any(|part| part.eq_ignore_ascii_case(batch)))
    }

    /// Whether what was done shall be told by an event, where a target has none to give by itself:
    /// `EVENTS_PAYLOAD_POLICY=always`.
    #[must_use]
    pub fn wants_reply(&self) -> bool {
        self.wants_reply
    }
}

/// A source that fits no other shape, such as a clock.
pub trait Source: Adapter {
    /// Brings events until asked to stop. An error is logged and the run begins again after a pause.
    fn run(&self, outbox: Outbox, stop: Stop) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A source that asks (HTTP, metrics, REST listings).
pub trait PollSource: Adapter {
    /// The streams it polls, each with a cursor of its own; their names are keys of the checkpoint store.
    fn streams(&self) -> Vec<String>;

    /// Time from the beginning of one poll to the next; never two at once for a stream.
    fn interval(&self) -> Duration;

    /// Asks once. The cursor is the one of the last page of which every event was accepted.
    fn poll(&self, stream: &str, cursor: Option<&str>) -> impl Future<Output = Result<Page, Error>> + Send;
}

/// What one poll brought.
#[derive(Debug, Default)]
pub struct Page {
    /// Events, delivered in order.
    pub events: Vec<Event>,
    /// The cursor for the next poll; stored after every event was accepted. `None` leaves it as it is.
    pub next: Option<String>,
    /// Whether to ask again at once.
    pub more: bool,
}
