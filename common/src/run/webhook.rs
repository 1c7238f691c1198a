//! Webhook sources: the caller's 2xx comes after the sink's, or not at all.

mod delivered;

use std::{process::ExitCode, sync::Arc, time::Instant};

use axum::body::Body;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;

use self::delivered::Delivered;
use super::{Frame, Shape, answers::respond, target::refused};
use crate::{
    Event, Trace,
    adapter::{Answer, Received, WebhookSource, text_answer},
    error::Fault,
    send::{Failure, Sink},
    server::collect,
};

/// The `main` of a webhook source.
#[must_use]
pub fn webhook_source<W: WebhookSource>() -> ExitCode {
    super::run(Shape::<W> {
        name: "webhook-source",
        needs_sink: true,
        serves: true,
        keeps_positions: |_| false,
        prepare: |_, _| {},
        events: |frame, adapter| {
            let (frame, adapter) = (Arc::clone(frame), Arc::clone(adapter));
            let delivered = Arc::new(Delivered::new(W::REMEMBERED));
            Arc::new(move |request, answering| {
                let (frame, adapter) = (Arc::clone(&frame), Arc::clone(&adapter));
                answering.set(serve(frame, adapter, Arc::clone(&delivered), request));
            })
        },
        work: |_, _, stop| {
            Box::pin(async move {
                stop.closed().await;
                Ok(())
            })
        },
    })
}

async fn serve<W: WebhookSource>(
    frame: Arc<Frame>,
    adapter: Arc<W>,
    delivered: Arc<Delivered>,
    request: Request<Incoming>,
) -> Response<Body> {
    let deadline = Instant::now() + frame.config.delivery_deadline.map_or(W::DEADLINE, |deadline| *deadline);
    let (parts, body) = request.into_parts();
    let body = match collect(body, frame.config.max_event_bytes, &frame.budget).await {
        Ok(body) => body,
        Err(refusal) => return respond(refused(refusal)),
    };
    // A client that goes away takes this future with it.
    let _counted = frame.metrics.in_flight.count();
    let mut span = Trace::from_headers(&parts.headers).receive("receive");
    let received = adapter.receive(http::Request::from_parts(parts, body.bytes.clone())).await;
    let answer = match (received, &frame.sink) {
        (Received::Answer(answer), _) => answer,
        (Received::Events(events, accepted), Some(sink)) => {
            match deliver(&frame, sink, &delivered, events, span.trace(), deadline).await {
                Ok(()) => accepted,
                Err(failure) => undelivered(&failure),
            }
        }
        // The frame does not start a webhook source without a sink.
        (Received::Events(..), None) => text_answer(StatusCode::SERVICE_UNAVAILABLE, "there is no sink"),
    };
    span.answered(Some(answer.status()));
    respond(answer)
}

/// Delivers all that has not been delivered before.
async fn deliver(
    frame: &Frame,
    sink: &Sink,
    delivered: &Delivered,
    events: Vec<Event>,
    trace: &Trace,
    deadline: Instant,
) -> Result<(), Box<Failure>> {
    for mut event in events {
        match delivered.turn(&event, deadline).await? {
            Some(turn) => {
                sink.deliver_before(&mut event, trace, deadline).await?;
                turn.delivered();
            }
            None => {
                frame.metrics.duplicate();
                tracing::debug!(event_id = event.id(), "an event came again that had been delivered");
            }
        }
    }
    Ok(())
}

/// 502 when the sink refuses the event, which no repetition mends; 503 when it is the sink that is not well.
fn undelivered(failure: &Failure) -> Answer {
    let reason = match failure.status {
        Some(status) => format!("sink answered {}", status.as_u16()),
        None if failure.timed_out => "sink did not answer in time".to_owned(),
        None => "sink cannot be reached".to_owned(),
    };
    tracing::warn!(reason = failure.message, "an event was not delivered");
    if failure.fault == Fault::Event {
        return text_answer(StatusCode::BAD_GATEWAY, reason);
    }
    let mut answer = text_answer(StatusCode::SERVICE_UNAVAILABLE, reason);
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}
