//! Delivery to the sink: overrides, retries while there is time, and the dead letter for what is refused for good.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::HeaderValue;

use super::{Accepted, Authorization, Backoff, Failure, Sender, SenderOptions, Terms, dead_letter_event};
use crate::{
    Event, Text, Trace, config::WatchedFile, error::Fault, frame::FrameConfig, health::Health, http::Client,
    metrics::FrameMetrics, stop::Stop, worker,
};

/// Between attempts for an event that the sink refuses and no dead letter takes.
const HELD: Duration = Duration::from_secs(60);

/// The sink of this process: `K_SINK`, with everything that Knative wants of a source.
#[derive(Debug)]
pub struct Sink {
    sender: Sender,
    /// The same for those who want to know the answer.
    asking: Sender,
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
        let asking = SenderOptions {
            reply: true,
            lenient: true,
            max_reply_bytes: SenderOptions::default().max_reply_bytes,
            ..with_token.clone()
        };
        Some(Self {
            sender: Sender::new(url.to_uri(), client.clone(), with_token),
            asking: Sender::new(url.to_uri(), client.clone(), asking),
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

    /// As [`attempt`](Self::attempt), and asks for a reply: what a sink says that is no event counts for nothing.
    ///
    /// # Errors
    /// As [`attempt`](Self::attempt); also when the reply claims to be an event and is none.
    pub async fn ask(&self, event: &mut Event, trace: &Trace) -> Result<Accepted, Failure> {
        self.apply_overrides(event);
        Passage { asks: true, ..self.passage(event, trace, None) }.attempt().await
    }

    /// One attempt for all of these events in one request, a batch. It is refused as a whole, and then no dead letter takes
    /// it: which of them was to blame cannot be told.
    ///
    /// # Errors
    /// When the sink has not accepted it.
    pub async fn attempt_batch(&self, events: &mut [Event], trace: &Trace) -> Result<Accepted, Failure> {
        events.iter_mut().for_each(|event| self.apply_overrides(event));
        let result = self.sender.attempt_batch(events, trace).await;
        events.iter().for_each(|event| self.learn(event, &result));
        result
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
        asks: bool,
    ) -> Result<Accepted, Failure> {
        let sender = if asks { &self.asking } else { &self.sender };
        let result = sender.attempt_within(event, trace, left(deadline)).await;
        self.learn(event, &result);
        result
    }

    /// What an attempt says of the sink's health.
    fn learn(&self, event: &Event, result: &Result<Accepted, Failure>) {
        match result {
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
    }

    fn passage<'a>(&'a self, event: &'a Event, trace: &'a Trace, deadline: Option<Instant>) -> Passage<'a> {
        Passage { sink: self, event, trace, deadline, origin: None, asks: false, refused: None }
    }
}

/// One event on its way to the sink or, once the sink has refused it, to the dead-letter sink.
struct Passage<'a> {
    sink: &'a Sink,
    event: &'a Event,
    trace: &'a Trace,
    deadline: Option<Instant>,
    origin: Option<&'a str>,
    /// Whether a reply is wanted.
    asks: bool,
    /// The dead-letter sink and the sink's refusal, which is not asked again.
    refused: Option<(&'a Sender, Box<Failure>)>,
}

impl Passage<'_> {
    async fn attempt(&mut self) -> Result<Accepted, Failure> {
        if let Some((dead_letter, refusal)) = &self.refused {
            return Box::pin(self.bury(dead_letter, refusal)).await;
        }
        let failure = match self.sink.attempt_as_is(self.event, self.trace, self.deadline, self.asks).await {
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
