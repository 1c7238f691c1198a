//! Spans: one for each request that comes in and one for each attempt to send. Without an exporter there are none.

use std::{borrow::Cow, sync::OnceLock, time::SystemTime};

use http::{HeaderMap, StatusCode};
use opentelemetry::{
    InstrumentationScope, KeyValue, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, SpanKind, Status, TraceState},
};
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanData, SpanProcessor as _};

use super::Trace;
use crate::Event;

/// What takes the spans that have ended.
pub(super) static PROCESSOR: OnceLock<Exporting> = OnceLock::new();

/// The way to the collector.
#[derive(Debug)]
pub(super) struct Exporting {
    pub(super) processor: BatchSpanProcessor,
    /// The part of new traces that is recorded, from 0 to 1.
    pub(super) ratio: f64,
}

impl Exporting {
    /// Whether a new trace of this id is recorded; the same for all who see the id.
    pub(super) fn samples(&self, id: u128) -> bool {
        // The lower half of an id is random by the W3C's recommendation.
        (id as u64 >> 11) as f64 / (1_u64 << 53) as f64 <= self.ratio && self.ratio > 0.0
    }
}

/// Something that is being done, as a part of a trace. It ends when it is dropped.
#[derive(Debug)]
pub struct Span {
    trace: Trace,
    recording: Option<Box<Recording>>,
}

#[derive(Debug)]
struct Recording {
    parent: u64,
    kind: SpanKind,
    name: &'static str,
    begun: SystemTime,
    attributes: Vec<KeyValue>,
    status: Status,
}

impl Span {
    pub(super) fn new(parent: &Trace, kind: SpanKind, name: &'static str) -> Self {
        let trace = Trace { span: fastrand::u64(1..), ..parent.clone() };
        let recorded = parent.is_sampled() && PROCESSOR.get().is_some();
        let recording = recorded.then(|| {
            let (attributes, status) = (Vec::new(), Status::Unset);
            Box::new(Recording {
                parent: parent.span,
                kind,
                name,
                begun: SystemTime::now(),
                attributes,
                status,
            })
        });
        Self { trace, recording }
    }

    /// The trace as seen from inside: what is done for this span has it as parent.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Adds the headers of an outgoing request that is this span.
    pub fn write(&self, headers: &mut HeaderMap) {
        self.trace.write_as(self.trace.span, headers);
    }

    /// Says which event it is about.
    pub fn about(&mut self, event: &Event) {
        let Some(recording) = &mut self.recording else { return };
        for (name, value) in [
            ("cloudevents.event_type", event.event_type()),
            ("cloudevents.event_id", event.id()),
            ("cloudevents.event_source", event.source()),
        ] {
            recording.attributes.push(KeyValue::new(name, value.to_owned()));
        }
    }

    /// Adds an attribute.
    pub fn set(&mut self, name: &'static str, value: impl FnOnce() -> String) {
        if let Some(recording) = &mut self.recording {
            recording.attributes.push(KeyValue::new(name, value()));
        }
    }

    /// Says how it ended: the status of the answer, or that there was none.
    pub fn answered(&mut self, status: Option<StatusCode>) {
        let Some(recording) = &mut self.recording else { return };
        if let Some(status) = status {
            recording.attributes.push(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
        }
        // A server's own 4xx is the fault of its caller (semantic conventions for HTTP spans).
        let fine = status.is_some_and(|status| {
            status.is_success() || (recording.kind == SpanKind::Server && !status.is_server_error())
        });
        if !fine {
            recording.status = Status::Error { description: Cow::Borrowed("") };
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let (Some(recording), Some(exporting)) = (self.recording.take(), PROCESSOR.get()) else { return };
        let Recording { parent, kind, name, begun, attributes, status } = *recording;
        let context = SpanContext::new(
            TraceId::from_bytes(self.trace.id.to_be_bytes()),
            SpanId::from_bytes(self.trace.span.to_be_bytes()),
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        );
        exporting.processor.on_end(SpanData {
            span_context: context,
            parent_span_id: SpanId::from_bytes(parent.to_be_bytes()),
            parent_span_is_remote: kind == SpanKind::Server,
            span_kind: kind,
            name: Cow::Borrowed(name),
            start_time: begun,
            end_time: SystemTime::now(),
            attributes,
            dropped_attributes_count: 0,
            events: Default::default(),
            links: Default::default(),
            status,
            instrumentation_scope: InstrumentationScope::builder("trestle").build(),
        });
    }
}
