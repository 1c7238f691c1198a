//! Sends an event at each due time; events that wait for the sink wait in order.

use std::time::{Duration, Instant};

use common::{
    Adapter, Error, Event, Field, Info, Kind, Role, Scaling, Source, Stop, config::ConfigError, metrics,
    send::Outbox, worker,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::sync::mpsc;

use crate::{clock::Clock, config::PingConfig, event, schedule::Schedule};

/// Events that wait for the sink at most.
const BACKLOG: usize = 1000;
/// The longest time without a look at the system's clock, which may be set at any moment.
const LOOK: Duration = Duration::from_secs(5);
/// What the system's clock gains over the time that passes is taken for a change of the clock from here on.
const SET: SignedDuration = SignedDuration::from_secs(2);

/// The ping source.
pub struct Ping {
    schedule: Schedule,
    zone: TimeZone,
    template: Event,
    lost: metrics::Counters,
}

impl Adapter for Ping {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Source,
        component: "pingsource",
        resource_group: "pingsources.sources.knative.dev",
        images: &[],
        emits: &[event::TYPE],
        accepts: &[],
        scaling: Scaling::Single,
        kinds: &[Kind {
            group: "sources.knative.dev",
            version: "v1",
            kind: "PingSource",
            constants: &[],
            fields: &[
                Field::new("schedule", "PING_SCHEDULE"),
                Field::new("timezone", "PING_TIMEZONE"),
                Field::new("contentType", "PING_CONTENT_TYPE"),
                Field::new("data", "PING_DATA"),
                Field::new("dataBase64", "PING_DATA_BASE64"),
            ],
        }],
    };
    type Config = PingConfig;

    fn new(config: PingConfig) -> Result<Self, ConfigError> {
        let template = event::template(&config).map_err(|error| ConfigError::new("NAME", error))?;
        let lost = metrics::counters(
            "trestle_lost_total",
            "Number of events that nobody accepted and nobody holds",
            &[],
            &[],
        );
        // Shown from the start, as 0.
        let _ = lost.with(&[]);
        Ok(Self { schedule: config.ping_schedule, zone: config.ping_timezone.0, template, lost })
    }
}

impl Source for Ping {
    async fn run(&self, outbox: Outbox, stop: Stop) -> Result<(), Error> {
        let (queue, waiting) = mpsc::channel(BACKLOG);
        tokio::join!(self.tick(queue, &stop), self.deliver(waiting, &outbox));
        Ok(())
    }
}

/// How a wait ended.
enum Woken {
    Due,
    /// The clock was put forward past the due time.
    Forward,
    /// The clock was put back behind the beginning.
    Back,
    Stopped,
}

impl Ping {
    /// Makes the events, each when it is due.
    async fn tick(&self, queue: mpsc::Sender<Event>, stop: &Stop) {
        let mut clock = Clock::new(self.schedule.clone(), self.zone.clone(), Timestamp::now());
        while let Some(due) = clock.next() {
            match wait(due, &clock, stop).await {
                Woken::Due => {
                    clock.take(due);
                    self.enqueue(&queue, due);
                }
                Woken::Forward => {
                    tracing::warn!(%due, "the system's clock was put forward: later events up to now are not made up");
                    clock.take(due);
                    clock.set(Timestamp::now());
                    self.enqueue(&queue, due);
                }
                Woken::Back => {
                    tracing::warn!(%due, "the system's clock was put back: no event is sent twice");
                    clock.set(Timestamp::now());
                }
                Woken::Stopped => return,
            }
            // After a standstill much may be due at once.
            tokio::task::yield_now().await;
        }
        tracing::warn!("the schedule has come to its end");
        stop.requested().await;
    }

    fn enqueue(&self, queue: &mpsc::Sender<Event>, due: Timestamp) {
        match event::due(&self.template, due) {
            Ok(event) => {
                if let Err(refused) = queue.try_send(event) {
                    self.lose(&refused.into_inner(), "too many events wait for the sink");
                }
            }
            // The template was checked at the start; only the time is new.
            Err(error) => tracing::error!(%due, %error, lost = true, "an event cannot be made"),
        }
    }

    /// Delivers in order. Once the process is to stop, each event has one attempt, and after a failed one nothing more.
    async fn deliver(&self, mut waiting: mpsc::Receiver<Event>, outbox: &Outbox) {
        while let Some(event) = waiting.recv().await {
            if outbox.send(event.clone()).await.is_err() {
                self.lose(&event, "the process was stopped first");
                while let Some(event) = waiting.recv().await {
                    self.lose(&event, "the process was stopped first");
                }
            }
        }
    }

    fn lose(&self, event: &Event, reason: &str) {
        self.lost.count(&[]);
        let time = event.get("time").unwrap_or_default();
        tracing::error!(event_id = event.id(), time, reason, lost = true, "an event was not delivered");
    }
}

/// Waits for a due time, with an eye on the clock.
async fn wait(due: Timestamp, clock: &Clock, stop: &Stop) -> Woken {
    loop {
        let (now, begun) = (Timestamp::now(), Instant::now());
        let left = Duration::try_from(due.duration_since(now)).unwrap_or_default();
        if left.is_zero() {
            return Woken::Due;
        }
        tokio::select! {
            () = worker::sleep(left.min(LOOK)) => {}
            () = stop.requested() => return Woken::Stopped,
        }
        let later = Timestamp::now();
        let passed = SignedDuration::try_from(begun.elapsed()).unwrap_or(SignedDuration::MAX);
        if clock.is_before(later) {
            return Woken::Back;
        }
        if later >= due && later.duration_since(now).saturating_sub(passed) > SET {
            return Woken::Forward;
        }
    }
}
