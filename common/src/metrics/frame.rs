//! What the frame itself counts, under the old names.

use std::sync::{Arc, Mutex};

use prometheus::{
    IntGauge,
    core::{Collector, Desc},
    proto::MetricFamily,
};

use super::{
    ConstantLabels, Counters, Gauge, Histogram, Histograms, IntCounter, counters, gauges, histograms,
    options, register, type_label,
};
use crate::{health::Health, info::Info};

/// Buckets of the old processing latencies, in milliseconds.
const MILLISECONDS: [f64; 13] =
    [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0];

/// What the frame counts for every adapter. Handles by event type and outcome are looked up once and kept.
#[derive(Debug)]
pub(crate) struct FrameMetrics {
    sent: Counters,
    successes: Counters,
    errors: Counters,
    latencies: Histograms,
    dead_lettered: Counters,
    redelivered: Counters,
    duplicates: Counters,
    /// Requests, messages or records in work.
    pub(crate) in_flight: Gauge,
    /// By type label; there are few, the usual ones come first.
    handles: Mutex<Vec<(String, Handles)>>,
}

/// How an attempt to send ended: the status, if there was an answer, and whether the time ran out.
type Outcome = (Option<u16>, bool);

/// The handles of one event type.
#[derive(Debug)]
struct Handles {
    /// By outcome; there are few.
    sent: Vec<(Outcome, Option<IntCounter>)>,
    success: Option<IntCounter>,
    error: Option<IntCounter>,
    latency: Option<Histogram>,
}

impl FrameMetrics {
    /// Registers them under the old names, `<component>_event_count` and so on.
    pub(crate) fn new(info: &Info, namespace: &str, name: &str, health: &Arc<Health>) -> Self {
        let constant: ConstantLabels<'_> =
            &[("resource_group", info.resource_group), ("namespace_name", namespace), ("name", name)];
        let named = |suffix: &str| format!("{}_{suffix}", info.component);
        let sent = counters(
            &named("event_count"),
            "Number of events sent to the sink, by the outcome of each attempt",
            &["event_type", "response_code", "response_code_class", "response_error", "response_timeout"],
            constant,
        );
        let successes = counters(
            &named("event_processing_success_count"),
            "Number of events processed",
            &["event_type"],
            constant,
        );
        let errors = counters(
            &named("event_processing_error_count"),
            "Number of events whose processing failed",
            &["event_type", "user_managed"],
            constant,
        );
        let latencies = histograms(
            &named("event_processing_latencies"),
            "Time that processing an event took, in milliseconds",
            &["event_type"],
            constant,
            &MILLISECONDS,
        );
        let dead_lettered = counters(
            "trestle_dead_lettered_total",
            "Number of events sent to the dead-letter sink",
            &[],
            constant,
        );
        let duplicates = counters(
            "trestle_duplicates_total",
            "Number of events that came again after they had been delivered, and were not delivered again",
            &[],
            constant,
        );
        let redelivered = counters(
            "trestle_redelivered_total",
            "Number of messages that the upstream system had given out before",
            &[],
            constant,
        );
        // From the beginning, or their first step would be no increase to Prometheus.
        for counters in [&dead_lettered, &duplicates, &redelivered] {
            drop(counters.with(&[]));
        }
        Ready::register(health, constant);
        let in_flight =
            gauges("trestle_in_flight", "Number of requests, messages or records in work", &[], constant);
        Self {
            sent,
            successes,
            errors,
            latencies,
            dead_lettered,
            duplicates,
            redelivered,
            in_flight: in_flight.with(&[]),
            handles: Mutex::default(),
        }
    }

    /// One attempt to send; `status` is absent when there was no answer.
    pub(crate) fn sent(&self, event_type: &str, status: Option<u16>, timed_out: bool) {
        let outcome = (status, timed_out);
        let Ok(mut known) = self.handles.lock() else { return };
        let handles = self.handles_of(&mut known, event_type);
        let counter = match handles.sent.iter().find(|(known, _)| *known == outcome) {
            Some((_, counter)) => counter,
            None => {
                let counter = self.sent_counter(type_label(event_type), outcome);
                handles.sent.push((outcome, counter));
                &handles.sent[handles.sent.len() - 1].1
            }
        };
        if let Some(counter) = counter {
            counter.inc();
        }
    }

    fn sent_counter(&self, label: &str, (status, timed_out): Outcome) -> Option<IntCounter> {
        let code = status.map_or_else(|| "0".to_owned(), |code| code.to_string());
        let class = status.map_or_else(String::new, |code| format!("{}xx", code / 100));
        let flag = |is: bool| if is { "true" } else { "false" };
        self.sent.with(&[label, &code, &class, flag(status.is_none()), flag(timed_out)])
    }

    fn handles_of<'a>(&self, known: &'a mut Vec<(String, Handles)>, event_type: &str) -> &'a mut Handles {
        let find =
            |known: &[(String, Handles)], label: &str| known.iter().position(|(known, _)| known == label);
        let index = find(known, event_type).unwrap_or_else(|| {
            let label = type_label(event_type);
            find(known, label).unwrap_or_else(|| {
                let handles = Handles {
                    sent: Vec::new(),
                    success: self.successes.with(&[label]),
                    error: self.errors.with(&[label, "true"]),
                    latency: self.latencies.with(&[label]),
                };
                known.push((label.to_owned(), handles));
                known.len() - 1
            })
        });
        &mut known[index].1
    }

    /// One event processed by a target, in the time given.
    pub(crate) fn processed(&self, event_type: &str, succeeded: bool, elapsed: std::time::Duration) {
        let Ok(mut known) = self.handles.lock() else { return };
        let handles = self.handles_of(&mut known, event_type);
        if let Some(counter) = if succeeded { &handles.success } else { &handles.error } {
            counter.inc();
        }
        if let Some(latency) = &handles.latency {
            latency.observe(elapsed.as_secs_f64() * 1e3);
        }
    }

    /// One message was received that had been received before.
    pub(crate) fn redelivered(&self) {
        self.redelivered.count(&[]);
    }

    /// One event went to the dead-letter sink.
    pub(crate) fn dead_lettered(&self) {
        self.dead_lettered.count(&[]);
    }

    /// One event came that had been delivered already.
    pub(crate) fn duplicate(&self) {
        self.duplicates.count(&[]);
    }
}

/// Whether the process is ready, asked for whenever metrics are read.
#[derive(Clone)]
struct Ready {
    health: Arc<Health>,
    gauge: IntGauge,
}

impl Ready {
    fn register(health: &Arc<Health>, constant: ConstantLabels<'_>) {
        let options = options("trestle_ready", "Whether readiness is answered with yes", constant);
        let gauge = IntGauge::with_opts(options);
        // What cannot be registered is in the log.
        drop(register(gauge.map(|gauge| Self { health: Arc::clone(health), gauge })));
    }
}

impl Collector for Ready {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.gauge.set(self.health.is_ready().into());
        self.gauge.collect()
    }
}
