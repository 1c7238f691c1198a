//! Targets, transformations and brokers: requests with events in, answers out.

use std::{process::ExitCode, sync::Arc, time::Instant};

use axum::body::Body;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use super::{
    Frame, Shape,
    answers::{self, Stateful, respond},
};
use crate::{
    Event, Text, Trace,
    adapter::{Answer, Context, Reply, Target, answer, text_answer},
    event::http::{DecodeError, Decoded, decode},
    frame::PayloadPolicy,
    server::collect,
};

/// The `main` of a target.
#[must_use]
pub fn target<T: Target>() -> ExitCode {
    run::<T>("target", false)
}

/// The `main` of a broker.
#[must_use]
pub fn broker<T: Target>() -> ExitCode {
    run::<T>("broker", false)
}

/// The `main` of a broker whose events outlive it, so that its triggers may begin in the past.
#[must_use]
pub fn durable_broker<T: Target>() -> ExitCode {
    run::<T>("durable-broker", false)
}

/// The `main` of a source that takes events by HTTP and hands each to the sink with one attempt, because its caller
/// holds the event and tries again.
#[must_use]
pub fn gateway<T: Target>() -> ExitCode {
    run::<T>("gateway", true)
}

/// Runs a target of some name.
pub(super) fn run<T: Target>(name: &'static str, needs_sink: bool) -> ExitCode {
    super::run(Shape::<T> {
        name,
        needs_sink,
        serves: true,
        keeps_positions: |_| false,
        prepare: |_, _| {},
        events: |frame, adapter| {
            let (frame, adapter) = (Arc::clone(frame), Arc::clone(adapter));
            Arc::new(move |request, answering| {
                answering.set(serve(Arc::clone(&frame), Arc::clone(&adapter), request));
            })
        },
        work: |_, adapter, stop| Box::pin(async move { adapter.run(stop).await }),
    })
}

async fn serve<T: Target>(frame: Arc<Frame>, adapter: Arc<T>, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return respond(answers::without_event(&parts.method));
    }
    if let Err(refusal) = adapter.admit(&parts) {
        return respond(refusal);
    }
    let body = match collect(body, frame.config.max_event_bytes, &frame.budget).await {
        Ok(body) => body,
        Err(refusal) => return respond(refused(refusal)),
    };
    // A client that goes away takes this future with it.
    let _counted = frame.metrics.in_flight.count();
    let decoded = decode(&parts.headers, body.bytes.clone(), frame.config.ce_header_decode);
    let mut span = Trace::from_headers(&parts.headers).receive("receive");
    if let Ok(Decoded::One(event)) = &decoded {
        span.about(event);
    }
    let context = Context {
        request: parts,
        trace: span.trace().clone(),
        sink: frame.sink.clone(),
        wants_reply: frame.config.events_payload_policy == Some(PayloadPolicy::Always),
    };
    let answer = match decoded {
        Ok(Decoded::One(event)) => match one(&frame, &*adapter, event, &context).await {
            Ok(Reply::Done) => answer(T::ACCEPTED),
            Ok(Reply::Status(status)) => answer(status),
            Ok(Reply::Event(event)) => answers::reply(&event),
            Ok(Reply::Events(events)) => answers::replies(&events),
            Err(failure) => failure,
        },
        Ok(Decoded::Batch(events)) => Box::pin(batch(&frame, &*adapter, events, &context)).await,
        Err(error) => malformed(&error),
    };
    span.answered(Some(answer.status()));
    respond(answer)
}

/// The answer to a body that was not taken.
pub(super) fn refused(refusal: crate::server::BodyRefusal) -> Answer {
    let mut answer = text_answer(refusal.status(), refusal.text());
    if refusal.status() == StatusCode::SERVICE_UNAVAILABLE {
        answer.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("1"));
    }
    answer
}

fn malformed(error: &DecodeError) -> Answer {
    text_answer(error.status(), error.to_string())
}

/// Handles one event; `Err` is the answer to one that failed.
async fn one<T: Target>(
    frame: &Frame,
    adapter: &T,
    event: Event,
    context: &Context,
) -> Result<Reply, Answer> {
    let event_type = event.text("type").cloned().unwrap_or_default();
    let stateful = Stateful::of(&event);
    let begun = Instant::now();
    let result = adapter.handle(event, context).await;
    frame.metrics.processed(&event_type, result.is_ok(), begun.elapsed());
    result.map_err(|error| {
        tracing::warn!(
            event_type = &*event_type,
            status = error.status().as_u16(),
            reason = error.chain(),
            "an event was not handled"
        );
        answers::failed_event(frame, &event_type, &stateful, &error)
    })
}

/// Handles a batch in order and stops at the first failure: the caller sends all of it again. Without replies, the
/// answer has the status of the last event.
async fn batch<T: Target>(frame: &Frame, adapter: &T, events: Vec<Event>, context: &Context) -> Answer {
    if T::TAKES_BATCHES && events.len() > 1 {
        return whole(frame, adapter, events, context).await;
    }
    let mut status = T::ACCEPTED;
    let mut replies = Vec::new();
    for event in events {
        match one(frame, adapter, event, context).await {
            Ok(Reply::Done) => status = T::ACCEPTED,
            Ok(Reply::Status(relayed)) => status = relayed,
            Ok(Reply::Event(event)) => replies.push(event),
            Ok(Reply::Events(events)) => replies.extend(events),
            Err(failure) => return failure,
        }
    }
    if replies.is_empty() { answer(status) } else { answers::replies(&replies) }
}

/// Handles a batch at once.
async fn whole<T: Target>(frame: &Frame, adapter: &T, events: Vec<Event>, context: &Context) -> Answer {
    let stateful = events.first().map(Stateful::of).unwrap_or_default();
    let types: Vec<Text> =
        events.iter().map(|event| event.text("type").cloned().unwrap_or_default()).collect();
    let begun = Instant::now();
    let result = adapter.handle_batch(events, context).await;
    for event_type in &types {
        frame.metrics.processed(event_type, result.is_ok(), begun.elapsed());
    }
    let Err(error) = result else { return answer(T::ACCEPTED) };
    tracing::warn!(
        events = types.len(),
        status = error.status().as_u16(),
        reason = error.chain(),
        "a batch of events was not handled"
    );
    let event_type = types.first().cloned().unwrap_or_default();
    answers::failed_event(frame, &event_type, &stateful, &error)
}
