//! Prometheus metrics: the old names, a bounded number of event types, and what the frame itself counts.

use std::{
    collections::{HashMap, HashSet},
    sync::{LazyLock, RwLock},
};

use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
    core::Collector,
};

pub use prometheus::{Histogram, IntCounter};

mod frame;

pub(crate) use frame::FrameMetrics;

/// The most values of a `type` label before the rest is called `other`.
const MAX_TYPES: usize = 100;

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
pub struct Counted(Gauge);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}

impl Gauge {
    /// Counts one, also when the future that holds it is given up.
    #[must_use]
    pub fn count(&self) -> Counted {
        self.add(1);
        Counted(self.clone())
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
