//! Sources that run by themselves.

use std::{process::ExitCode, sync::Arc};

use super::{Frame, Shape};
use crate::{
    adapter::Source,
    error::Error,
    send::{Backoff, Outbox},
    server::no_events,
    stop::Stop,
    worker,
};

/// The `main` of a plain source.
#[must_use]
pub fn source<S: Source>() -> ExitCode {
    super::run(Shape::<S> {
        name: "source",
        needs_sink: true,
        serves: false,
        keeps_positions: |_| false,
        prepare: |_, _| {},
        events: |_, _| no_events(),
        work: |frame, adapter, stop| Box::pin(work(frame, adapter, stop)),
    })
}

async fn work<S: Source>(frame: Arc<Frame>, adapter: Arc<S>, stop: Stop) -> Result<(), Error> {
    let Some(sink) = frame.sink.clone() else { return Err(Error::permanent("there is no sink")) };
    let outbox = Outbox::new(sink, stop.clone());
    let mut backoff = Backoff::default();
    loop {
        let result = adapter.run(outbox.clone(), stop.clone()).await;
        let error = match result {
            _ if stop.is_requested() => return Ok(()),
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        frame.health.upstream().failed();
        let pause = backoff.next(error.retry_after());
        tracing::warn!(
            reason = error.chain(),
            retry_in_ms = pause.as_millis() as u64,
            "the source begins again"
        );
        tokio::select! {
            () = worker::sleep(pause) => {}
            () = stop.requested() => return Ok(()),
        }
    }
}
