//! Delivery to the sink: overrides, retries while there is time, and the dead letter for what is refused for good.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;

use super::{Accepted, Authorization, Backoff, Failure, Sender, SenderOptions};
use crate::{
    Event, InvalidEvent, Text, Trace, config::WatchedFile, error::Fault, frame::FrameConfig, health::Health,
    http::Client, metrics::FrameMetrics, stop::Stop, worker,
};

/// Characters of base64 that `knativeerrordata` holds at most (Knative delivery specification).
const ERROR_DATA: usize = 1024;
/// Between attempts for an event that the sink refuses and no dead letter takes.
const HELD: Duration = Duration::from_secs(60);

/// The sink of this process: `K_SINK`, with everything that Knative wants of a source.
#[derive(Debug)]
pub struct Sink {
    sender: Sender,
    dead_letter: Option<Sender>,
    overrides: Vec<(String, Text)>,
    retry_after_max: Duration,
    health: Arc<Health>,
    metrics: Arc<FrameMetrics>,
}

impl Sink {
    /// The sink that the settings name, if they name one.
    pub(crate) fn new(
        config: &FrameConfig,
        client: &Client,
        health: &Arc<Health>,
        metrics: &Arc<FrameMetrics>,
    ) -> Option<Self> {
        let url = config.k_sink.as_ref()?;
        let options = SenderOptions {
            timeout: config.sink_timeout(),
            namespace: config.namespace.as_deref().and_then(|name| HeaderValue::from_str(name).ok()),
            // A sink's yes is its status; what comes behind it is not looked at.
            max_reply_bytes: 64 << 10,
            ..SenderOptions::default()
        };
        let token = Authorization::BearerFile(Arc::new(WatchedFile::new(&config.oidc_token_file)));
        let with_token = SenderOptions { authorization: Some(token), ..options.clone() };
        Some(Self {
            sender: Sender::new(url.to_uri(), client.clone(), with_token),
            dead_letter: config
                .dead_letter_sink
                .as_ref()
                .map(|url| Sender::new(url.to_uri(), client.clone(), options)),
            overrides: config
                .k_ce_overrides
                .iter()
                .flat_map(|overrides| overrides.extensions())
                .map(|(name, value)| (name.to_owned(), Text::from(value)))
                .collect(),
            retry_after_max: *config.retry_after_max,
            health: Arc::clone(health),
            metrics: Arc::clone(metrics),
        })
    }

    /// One attempt, for those whose caller holds the event and retries. Overrides are set on the event; one that the
    /// sink refuses goes to the dead-letter sink, whose answer then counts.
    ///
    /// # Errors
    /// When nobody has accepted it.
    pub async fn attempt(&self, event: &mut Event, trace: &Trace) -> Result<Accepted, Failure> {
        self.apply_overrides(event);
        self.passage(event, trace, None).attempt().await
    }

    /// Delivers before the deadline, with retries; an event that the sink refuses goes to the dead-letter sink.
    ///
    /// # Errors
    /// The last failure, when nobody had accepted the event at the deadline.
    pub async fn deliver_before(
        &self,
        event: &mut Event,
        trace: &Trace,
        deadline: Instant,
    ) -> Result<(), Failure> {
        self.apply_overrides(event);
        let mut passage = self.passage(event, trace, Some(deadline));
        let mut backoff = Backoff::default();
        loop {
            let failure = match passage.attempt().await {
                Ok(_) => return Ok(()),
                Err(failure) => failure,
            };
            let pause = backoff.next(self.asked(&failure));
            if failure.fault != Fault::Transient || Instant::now() + pause >= deadline {
                return Err(failure);
            }
            worker::sleep(pause).await;
        }
    }

    /// Delivers however long it takes; an event that the sink refuses and no dead letter takes is held and tried again
    /// each minute.
    ///
    /// # Errors
    /// The last failure, when the process is asked to stop and the event has not been accepted.
    pub async fn deliver(&self, event: &mut Event, trace: &Trace, stop: &Stop) -> Result<(), Failure> {
        self.deliver_under(event, trace, &Terms::new(stop)).await
    }

    /// As [`deliver`](Self::deliver), on other terms.
    ///
    /// # Errors
    /// The last failure, when the terms end before the event has been accepted.
    pub(crate) async fn deliver_under(
        &self,
        event: &mut Event,
        trace: &Trace,
        terms: &Terms<'_>,
    ) -> Result<(), Failure> {
        self.apply_overrides(event);
        let mut passage = Passage { origin: terms.origin, ..self.passage(event, trace, None) };
        let mut backoff = Backoff::default();
        loop {
            let failure = match passage.attempt().await {
                Ok(_) => return Ok(()),
                Err(failure) => failure,
            };
            if failure.fault == Fault::Event && !terms.hold_refused {
                return Err(failure);
            }
            let pause = backoff.next(self.asked(&failure));
            let pause = if failure.fault == Fault::Event { pause.max(HELD) } else { pause };
            let status = failure.status.map(|status| status.as_u16());
            tracing::warn!(
                event_id = event.id(),
                event_type = event.event_type(),
                reason = failure.message,
                status,
                attempt = backoff.attempts(),
                retry_in_ms = pause.as_millis() as u64,
                "an event is held back"
            );
            tokio::select! {
                () = worker::sleep(pause) => {}
                () = terms.stop.requested() => return Err(failure),
            }
            if !(terms.valid)() {
                return Err(failure);
            }
        }
    }

    /// Sets the overrides, each replacing an extension of its name.
    pub fn apply_overrides(&self, event: &mut Event) {
        for (name, value) in &self.overrides {
            // The names were checked at start; a value with control characters is left out, as no event may hold it.
            let _ = event.set(name, value.clone());
        }
    }

    fn asked(&self, failure: &Failure) -> Option<Duration> {
        failure.retry_after.map(|asked| asked.min(self.retry_after_max))
    }

    async fn attempt_as_is(
        &self,
        event: &Event,
        trace: &Trace,
        deadline: Option<Instant>,
    ) -> Result<Accepted, Failure> {
        let result = self.sender.attempt_within(event, trace, left(deadline)).await;
        match &result {
            Ok(accepted) => {
                self.health.sink().succeeded();
                self.metrics.sent(event.event_type(), Some(accepted.status.as_u16()), false);
            }
            Err(failure) => {
                if failure.fault != Fault::Event {
                    self.health.sink().failed();
                }
                let status = failure.status.map(|status| status.as_u16());
                self.metrics.sent(event.event_type(), status, failure.timed_out);
            }
        }
        result
    }

    fn passage<'a>(&'a self, event: &'a Event, trace: &'a Trace, deadline: Option<Instant>) -> Passage<'a> {
        Passage { sink: self, event, trace, deadline, origin: None, refused: None }
    }
}

/// How long a delivery without a deadline goes on.
pub(crate) struct Terms<'a> {
    /// Ends it.
    pub(crate) stop: &'a Stop,
    /// Whether an event that the sink refuses for good is held, or given back at once.
    pub(crate) hold_refused: bool,
    /// Whether the event is still this process's to deliver; asked before every attempt but the first.
    pub(crate) valid: &'a (dyn Fn() -> bool + Sync),
    /// Where the event came from, for a dead letter.
    pub(crate) origin: Option<&'a str>,
}

impl<'a> Terms<'a> {
    /// Until the process is asked to stop.
    pub(crate) fn new(stop: &'a Stop) -> Self {
        Self { stop, hold_refused: true, valid: &|| true, origin: None }
    }
}

/// One event on its way to the sink or, once the sink has refused it, to the dead-letter sink.
struct Passage<'a> {
    sink: &'a Sink,
    event: &'a Event,
    trace: &'a Trace,
    deadline: Option<Instant>,
    origin: Option<&'a str>,
    /// The dead-letter sink and the sink's refusal, which is not asked again.
    refused: Option<(&'a Sender, Box<Failure>)>,
}

impl Passage<'_> {
    async fn attempt(&mut self) -> Result<Accepted, Failure> {
        if let Some((dead_letter, refusal)) = &self.refused {
            return Box::pin(self.bury(dead_letter, refusal)).await;
        }
        let failure = match self.sink.attempt_as_is(self.event, self.trace, self.deadline).await {
            Ok(accepted) => return Ok(accepted),
            Err(failure) => failure,
        };
        let Some(dead_letter) = self.sink.dead_letter.as_ref().filter(|_| failure.fault == Fault::Event)
        else {
            return Err(failure);
        };
        let (dead_letter, refusal) = self.refused.insert((dead_letter, Box::new(failure)));
        let (dead_letter, refusal) = (*dead_letter, refusal.clone());
        Box::pin(self.bury(dead_letter, &refusal)).await
    }

    async fn bury(&self, dead_letter: &Sender, refusal: &Failure) -> Result<Accepted, Failure> {
        let letter = dead_letter_event(self.event, &self.sink.sender.uri().to_string(), refusal);
        let mut letter = letter.unwrap_or_else(|_| self.event.clone());
        if let Some(origin) = self.origin {
            // What cannot stand in an attribute is left out.
            let _ = letter.set("trestleorigin", origin);
        }
        match dead_letter.attempt_within(&letter, self.trace, left(self.deadline)).await {
            Ok(accepted) => {
                self.sink.metrics.dead_lettered();
                tracing::warn!(
                    event_id = self.event.id(),
                    event_type = self.event.event_type(),
                    reason = refusal.message,
                    "an event went to the dead-letter sink"
                );
                Ok(Accepted { refused: Some(Box::new(refusal.clone())), ..accepted })
            }
            // The dead-letter sink is what must come back; the event is not to blame for that.
            Err(failed) => Err(Failure { fault: Fault::Transient, ..failed }),
        }
    }
}

/// Time until a deadline; without one there is no end.
fn left(deadline: Option<Instant>) -> Duration {
    deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()))
}

/// The event with Knative's error extensions: where it was refused, with which code and, in base64, what body.
///
/// # Errors
/// When `destination` cannot stand in an attribute.
pub fn dead_letter_event(event: &Event, destination: &str, failure: &Failure) -> Result<Event, InvalidEvent> {
    let mut letter = event.clone();
    letter.set("knativeerrordest", destination)?;
    let code = failure.status.map_or(500, |status| status.as_u16());
    letter.set("knativeerrorcode", code.to_string())?;
    if !failure.body.is_empty() {
        let mut data = STANDARD.encode(&failure.body);
        data.truncate(ERROR_DATA);
        letter.set("knativeerrordata", data)?;
    }
    Ok(letter)
}
