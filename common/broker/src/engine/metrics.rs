//! What a broker counts, under the names of the old brokers; handles are looked up once per event type and kept.

use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
    time::Duration,
};

use common::metrics::{
    Counters, Gauges, Histogram, Histograms, IntCounter, counters, gauges, histograms, type_label,
};

use super::status::Phase;

/// The buckets of the old brokers, in milliseconds.
const MILLISECONDS: [f64; 8] = [0.0, 0.01, 0.1, 1.0, 10.0, 100.0, 1_000.0, 10_000.0];

/// The families, once per process.
#[derive(Debug, Clone)]
pub(crate) struct Metrics(Arc<Families>);

#[derive(Debug)]
struct Families {
    ingested: Counters,
    ingest_latency: Histograms,
    rejected: Counters,
    unmatched: Counters,
    lost: Counters,
    triggered: Counters,
    trigger_latency: Histograms,
    dead_lettered: Counters,
    held_back: Counters,
    held: Gauges,
    phases: Gauges,
    ingest: ByType<Ends>,
}

/// What one trigger counts.
#[derive(Debug)]
pub(crate) struct TriggerMetrics {
    name: String,
    families: Arc<Families>,
    by_type: ByType<Ends>,
}

/// The handles of one event type, for a good end and a bad one.
#[derive(Debug)]
struct Ends {
    good: (Option<IntCounter>, Option<Histogram>),
    bad: (Option<IntCounter>, Option<Histogram>),
}

impl Ends {
    fn done(&self, good: bool, elapsed: Duration) {
        let (counter, histogram) = if good { &self.good } else { &self.bad };
        if let Some(counter) = counter {
            counter.inc();
        }
        if let Some(histogram) = histogram {
            histogram.observe(elapsed.as_secs_f64() * 1e3);
        }
    }
}

impl Metrics {
    /// Registers the families; `name` is the broker's.
    pub fn new(name: &str) -> Self {
        let constant: &[(&str, &str)] = &[("broker_name", name)];
        let one = |name: &str, help: &str, labels: &[&str]| counters(name, help, labels, constant);
        // There from the beginning, or its first step would be no increase to Prometheus.
        let from_0 = |name: &str, help: &str| {
            let family = one(name, help, &[]);
            drop(family.with(&[]));
            family
        };
        let time =
            |name: &str, help: &str, labels: &[&str]| histograms(name, help, labels, constant, &MILLISECONDS);
        Self(Arc::new(Families {
            ingested: one("broker_ingest_event_count", "Events received", &["received_type", "ingested"]),
            ingest_latency: time(
                "broker_ingest_event_latency",
                "Time until an event was accepted, in milliseconds",
                &["received_type", "ingested"],
            ),
            rejected: from_0("broker_ingest_rejected_count", "Requests refused for their credentials"),
            unmatched: from_0("broker_ingest_unmatched_count", "Events accepted that no trigger wants"),
            lost: one(
                "broker_event_lost_count",
                "Events that neither target nor dead letter took",
                &["trigger_name"],
            ),
            triggered: one(
                "broker_trigger_event_count",
                "Events sent to the target, by whether it took them in the end",
                &["trigger_name", "sent_type", "delivered"],
            ),
            trigger_latency: time(
                "broker_trigger_event_latency",
                "Time from the first try until an event was done with, in milliseconds",
                &["trigger_name", "sent_type", "delivered", "received_type"],
            ),
            dead_lettered: one(
                "broker_trigger_dead_lettered_count",
                "Events the dead letter took",
                &["trigger_name"],
            ),
            held_back: one(
                "broker_trigger_held_back_count",
                "Times that neither target nor dead letter took an event, which is then tried again",
                &["trigger_name"],
            ),
            held: gauges(
                "broker_events_held",
                "Events that wait or are being delivered",
                &["trigger_name"],
                constant,
            ),
            phases: gauges(
                "broker_trigger_status",
                "1 for where the trigger is in its life, 0 for where it is not",
                &["trigger_name", "status"],
                constant,
            ),
            ingest: ByType::default(),
        }))
    }

    /// An event was accepted, or was not.
    pub fn ingested(&self, event_type: &str, accepted: bool, elapsed: Duration) {
        let Families { ingested, ingest_latency, .. } = &*self.0;
        let make = |label: &str| Ends {
            good: (ingested.with(&[label, "true"]), ingest_latency.with(&[label, "true"])),
            bad: (ingested.with(&[label, "false"]), ingest_latency.with(&[label, "false"])),
        };
        self.0.ingest.with(event_type, make, |ends| ends.done(accepted, elapsed));
    }

    /// A request was refused.
    pub fn rejected(&self) {
        self.0.rejected.count(&[]);
    }

    /// An event was accepted that no trigger wants.
    pub fn unmatched(&self) {
        self.0.unmatched.count(&[]);
    }

    /// The metrics of one trigger.
    pub fn trigger(&self, name: &str) -> TriggerMetrics {
        // As in `new`.
        for counters in [&self.0.lost, &self.0.dead_lettered, &self.0.held_back] {
            drop(counters.with(&[name]));
        }
        TriggerMetrics { name: name.to_owned(), families: self.0.clone(), by_type: ByType::default() }
    }
}

impl TriggerMetrics {
    /// A delivery has ended, with the target's acceptance or without; `received` is the type of the reply, or empty.
    pub fn done(&self, sent: &str, received: &str, delivered: bool, elapsed: Duration) {
        let Families { triggered, trigger_latency, .. } = &*self.families;
        let name = self.name.as_str();
        let make = |sent: &str, received: &str| {
            let ends = |delivered| {
                let counter = triggered.with(&[name, sent, delivered]);
                (counter, trigger_latency.with(&[name, sent, delivered, received]))
            };
            Ends { good: ends("true"), bad: ends("false") }
        };
        if received.is_empty() {
            self.by_type.with(sent, |sent| make(sent, ""), |ends| ends.done(delivered, elapsed));
        } else {
            make(type_label(sent), type_label(received)).done(delivered, elapsed);
        }
    }

    /// The dead letter took an event.
    pub fn dead_lettered(&self) {
        self.families.dead_lettered.count(&[&self.name]);
    }

    /// Nobody took an event, which waits.
    pub fn held_back(&self) {
        self.families.held_back.count(&[&self.name]);
    }

    /// Events are gone for good.
    pub fn lost(&self, events: u64) {
        if let Some(counter) = self.families.lost.with(&[&self.name]) {
            counter.inc_by(events);
        }
    }

    /// Says where the trigger is in its life.
    pub fn phase(&self, phase: &str) {
        for name in Phase::NAMES {
            self.families.phases.with(&[&self.name, name]).set((name == phase).into());
        }
    }

    /// Says how many events the trigger holds.
    pub fn held(&self, events: usize) {
        self.families.held.with(&[&self.name]).set(i64::try_from(events).unwrap_or(i64::MAX));
    }
}

impl Drop for TriggerMetrics {
    /// What a trigger held is no figure once it is gone; its counts stay.
    fn drop(&mut self) {
        self.families.held.forget(&[&self.name]);
        for name in Phase::NAMES {
            self.families.phases.forget(&[&self.name, name]);
        }
    }
}

/// Something for each event type, up to the number of types that are told apart.
#[derive(Debug)]
struct ByType<T>(RwLock<HashMap<String, T>>);

impl<T> Default for ByType<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T> ByType<T> {
    /// Uses the one for this type, made first where it is not there.
    fn with(&self, event_type: &str, make: impl FnOnce(&str) -> T, mut use_it: impl FnMut(&T)) {
        let mut find = |label: &str| {
            let known = self.0.read().ok()?;
            known.get(label).map(&mut use_it)
        };
        if find(event_type).is_some() {
            return;
        }
        let label = type_label(event_type);
        if find(label).is_some() {
            return;
        }
        if let Ok(mut known) = self.0.write() {
            use_it(known.entry(label.to_owned()).or_insert_with(|| make(label)));
        }
    }
}
