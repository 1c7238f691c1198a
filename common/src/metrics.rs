//! Prometheus metrics: the old names, a bounded number of event types, and what the frame itself counts.

use std::{
    collections::{HashMap, HashSet},
    sync::{LazyLock, Mutex, RwLock},
};

use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
    core::Collector,
};

pub use prometheus::{Histogram, IntCounter};

use crate::info::Info;

/// The most values of a `type` label before the rest is called `other`.
const MAX_TYPES: usize = 100;
/// Buckets of the old processing latencies, in milliseconds.
const MILLISECONDS: [f64; 13] =
    [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0];

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::new);
static TYPES: LazyLock<RwLock<HashSet<String>>> = LazyLock::new(RwLock::default);

/// Registers a family that lives as long as the process and gives it back. A name that is taken is a mistake in the
/// program: the family then counts unseen, and the log says so.
fn register<C: Collector + Clone + 'static>(family: prometheus::Result<C>) -> Option<C> {
    let registered = family.and_then(|family| REGISTRY.register(Box::new(family.clone())).map(|()| family));
    registered.inspect_err(|error| tracing::error!(%error, "a metric cannot be registered")).ok()
}

/// A family of counters by label values. Handles are cheap to clone and meant to be kept.
#[derive(Debug, Clone)]
pub struct Counters(Option<IntCounterVec>);

/// A family of gauges by label values.
#[derive(Debug, Clone)]
pub struct Gauges(Option<IntGaugeVec>);

/// A family of histograms by label values.
#[derive(Debug, Clone)]
pub struct Histograms(Option<HistogramVec>);

/// A gauge that may be unseen.
#[derive(Debug, Clone)]
pub struct Gauge(Option<IntGauge>);

/// Labels with one value for the whole process.
pub type ConstantLabels<'a> = &'a [(&'a str, &'a str)];

fn options(name: &str, help: &str, constant: ConstantLabels<'_>) -> Opts {
    let labels: HashMap<String, String> =
        constant.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Opts::new(name, help).const_labels(labels)
}

/// Makes a family of counters with exactly this name.
#[must_use]
pub fn counters(name: &str, help: &str, labels: &[&str], constant: ConstantLabels<'_>) -> Counters {
    Counters(register(IntCounterVec::new(options(name, help, constant), labels)))
}

/// Makes a family of gauges with exactly this name.
#[must_use]
pub fn gauges(name: &str, help: &str, labels: &[&str], constant: ConstantLabels<'_>) -> Gauges {
    Gauges(register(IntGaugeVec::new(options(name, help, constant), labels)))
}

/// Makes a family of histograms with exactly this name.
#[must_use]
pub fn histograms(
    name: &str,
    help: &str,
    labels: &[&str],
    constant: ConstantLabels<'_>,
    buckets: &[f64],
) -> Histograms {
    let options = HistogramOpts::from(options(name, help, constant)).buckets(buckets.to_vec());
    Histograms(register(HistogramVec::new(options, labels)))
}

impl Counters {
    /// The counter with these label values, in the order of the labels.
    #[must_use]
    pub fn with(&self, values: &[&str]) -> Option<IntCounter> {
        self.0.as_ref()?.get_metric_with_label_values(values).ok()
    }

    /// Adds one to the counter with these label values.
    pub fn count(&self, values: &[&str]) {
        if let Some(counter) = self.with(values) {
            counter.inc();
        }
    }

    /// Forgets the counter with these label values.
    pub fn forget(&self, values: &[&str]) {
        if let Some(family) = &self.0 {
            // Only an unknown counter makes this fail, and then there is nothing to forget.
            let _ = family.remove_label_values(values);
        }
    }
}

impl Gauges {
    /// The gauge with these label values, in the order of the labels.
    #[must_use]
    pub fn with(&self, values: &[&str]) -> Gauge {
        Gauge(self.0.as_ref().and_then(|family| family.get_metric_with_label_values(values).ok()))
    }

    /// Forgets the gauge with these label values.
    pub fn forget(&self, values: &[&str]) {
        if let Some(family) = &self.0 {
            let _ = family.remove_label_values(values);
        }
    }
}

/// One in a gauge, until it is dropped.
#[derive(Debug)]
pub struct Counted<'a>(&'a Gauge);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}

impl Gauge {
    /// Counts one, also when the future that holds it is given up.
    #[must_use]
    pub fn count(&self) -> Counted<'_> {
        self.add(1);
        Counted(self)
    }

    /// Adds, or subtracts what is negative.
    pub fn add(&self, difference: i64) {
        if let Some(gauge) = &self.0 {
            gauge.add(difference);
        }
    }

    /// Sets the value.
    pub fn set(&self, value: i64) {
        if let Some(gauge) = &self.0 {
            gauge.set(value);
        }
    }
}

impl Histograms {
    /// The histogram with these label values, in the order of the labels.
    #[must_use]
    pub fn with(&self, values: &[&str]) -> Option<Histogram> {
        self.0.as_ref()?.get_metric_with_label_values(values).ok()
    }
}

/// The value of a `type` label: the event's type, or `other` once there are too many of them.
#[must_use]
pub fn type_label(event_type: &str) -> &str {
    if TYPES.read().is_ok_and(|types| types.contains(event_type)) {
        return event_type;
    }
    match TYPES.write() {
        Ok(mut types) if types.len() < MAX_TYPES => {
            types.insert(event_type.to_owned());
            event_type
        }
        _ => "other",
    }
}

/// All metrics in the text format of Prometheus.
pub(crate) fn text() -> String {
    TextEncoder::new().encode_to_string(&REGISTRY.gather()).unwrap_or_default()
}

/// What the frame counts for every adapter. Handles by event type and outcome are looked up once and kept.
#[derive(Debug)]
pub(crate) struct FrameMetrics {
    sent: Counters,
    successes: Counters,
    errors: Counters,
    latencies: Histograms,
    dead_lettered: Counters,
    /// Requests in work.
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
    pub(crate) fn new(info: &Info, namespace: &str, name: &str) -> Self {
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
        let in_flight = gauges("trestle_in_flight", "Number of requests in work", &[], constant).with(&[]);
        Self { sent, successes, errors, latencies, dead_lettered, in_flight, handles: Mutex::default() }
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

    /// One event went to the dead-letter sink.
    pub(crate) fn dead_lettered(&self) {
        self.dead_lettered.count(&[]);
    }
}
