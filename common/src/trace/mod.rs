//! W3C Trace Context in and out: the same trace on every hop, a new span for each.
//!
//! Facts: W3C Trace Context level 1, sections 3.2 and 3.3. The `traceparent` extension of an event, which holds the
//! starting trace, is the event's own and is never rewritten.

mod config;
mod export;
mod span;

use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::SpanKind;

use crate::Event;

pub(crate) use config::TraceConfig;
pub(crate) use export::{finish, start};
pub use span::Span;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const BAGGAGE: HeaderName = HeaderName::from_static("baggage");

/// The trace that an event belongs to on its way through this process.
#[derive(Debug, Clone)]
pub struct Trace {
    /// The trace id, never zero.
    id: u128,
    /// The span that what is done next has as its parent; 0 where the trace begins here.
    span: u64,
    flags: u8,
    state: Option<HeaderValue>,
    baggage: Option<HeaderValue>,
}

impl Default for Trace {
    fn default() -> Self {
        let id = fastrand::u128(1..);
        let sampled = span::PROCESSOR.get().is_some_and(|exporting| exporting.samples(id));
        Self { id, span: 0, flags: u8::from(sampled), state: None, baggage: None }
    }
}

impl Trace {
    /// The trace of an incoming request, or a new one where the headers hold none that is valid.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let parent = headers.get(TRACEPARENT).and_then(|value| parse(value.to_str().ok()?));
        let Some((id, span, flags)) = parent else { return Self::default() };
        Self {
            id,
            span,
            flags,
            state: headers.get(TRACESTATE).cloned(),
            baggage: headers.get(BAGGAGE).cloned(),
        }
    }

    /// The trace that an event was written in, as far as it says (its extensions `traceparent` and `tracestate`), or a new
    /// one: for events that come by no request, but from a queue or a log.
    #[must_use]
    pub(crate) fn of(event: &Event) -> Self {
        let Some((id, span, flags)) = event.get("traceparent").and_then(parse) else {
            return Self::default();
        };
        let state = event.get("tracestate").and_then(|state| HeaderValue::from_str(state).ok());
        Self { id, span, flags, state, baggage: None }
    }

    /// The trace of an event that was kept with [`parent`](Self::parent), or a new one.
    #[must_use]
    pub fn kept(parent: Option<&str>) -> Self {
        let Some((id, span, flags)) = parent.and_then(parse) else { return Self::default() };
        Self { id, span, flags, state: None, baggage: None }
    }

    /// The text to keep beside an event that waits outside of this process: a `traceparent`, or nothing where the trace
    /// begins here.
    #[must_use]
    pub fn parent(&self) -> Option<String> {
        (self.span != 0).then(|| self.text(self.span))
    }

    fn text(&self, span: u64) -> String {
        let mut text = String::with_capacity(55);
        // Writing to a String cannot fail.
        let _ = write!(text, "00-{:032x}-{:016x}-{:02x}", self.id, span, self.flags);
        text
    }

    /// Begins the work on a request that came in.
    pub(crate) fn receive(&self, name: &'static str) -> Span {
        Span::new(self, SpanKind::Server, name)
    }

    /// Begins a request to somebody else.
    #[must_use]
    pub fn request(&self, name: &'static str) -> Span {
        Span::new(self, SpanKind::Client, name)
    }

    fn is_sampled(&self) -> bool {
        self.flags & 1 == 1
    }

    fn write_as(&self, span: u64, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(self.text(span))) {
            headers.insert(TRACEPARENT, value);
        }
        for (name, value) in [(TRACESTATE, &self.state), (BAGGAGE, &self.baggage)] {
            if let Some(value) = value {
                headers.insert(name, value.clone());
            }
        }
    }
}

/// Trace id, span id and flags of a `traceparent`; later versions may hold more after the flags.
fn parse(text: &str) -> Option<(u128, u64, u8)> {
    let mut parts = text.trim().split('-');
    let (version, id, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let known = hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
    if !known || !hex(id, 32) || !hex(span, 16) || !hex(flags, 2) {
        return None;
    }
    let id = u128::from_str_radix(id, 16).ok().filter(|id| *id != 0)?;
    let span = u64::from_str_radix(span, 16).ok().filter(|span| *span != 0)?;
    Some((id, span, u8::from_str_radix(flags, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn keeps_the_trace_and_changes_the_span() {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, HeaderValue::from_static(PARENT));
        headers.insert(TRACESTATE, HeaderValue::from_static("vendor=1"));
        let mut out = HeaderMap::new();
        Trace::from_headers(&headers).request("send").write(&mut out);
        let sent = out[TRACEPARENT].to_str().expect("ASCII");
        assert_eq!(sent.len(), PARENT.len());
        assert_eq!((&sent[..36], &sent[52..]), (&PARENT[..36], "-01"));
        assert_ne!(sent[36..52], PARENT[36..52]);
        assert_eq!(out[TRACESTATE], "vendor=1");
    }

    #[test]
    fn a_kept_parent_is_the_trace_again() {
        assert_eq!(Trace::kept(Some(PARENT)).parent().as_deref(), Some(PARENT));
        assert_eq!(Trace::kept(None).parent(), None);
    }

    #[test]
    fn an_event_of_a_log_goes_on_with_the_trace_it_was_written_in() {
        let mut event = Event::new("1", "/s", "t").expect("an event");
        event.set("traceparent", format!("00-{:032x}-{:016x}-01", 7, 9)).expect("an extension");
        let trace = Trace::of(&event);
        assert_eq!((trace.id, trace.span, trace.is_sampled()), (7, 9, true));
        event.set("traceparent", "nonsense").expect("an extension");
        assert_ne!(Trace::of(&event).id, 7);
    }

    #[test]
    fn invalid_parents_start_a_new_trace() {
        for text in [
            "",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert!(parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more").is_some());
    }
}
