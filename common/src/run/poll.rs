//! Poll sources: one poll at a time for each stream, the cursor stored only after every event was accepted.

use std::{process::ExitCode, sync::Arc, time::Instant};

use super::{Frame, Shape};
use crate::{
    adapter::PollSource,
    checkpoint::{Checkpoints, FileCheckpoints, Record},
    error::Error,
    send::{Backoff, Outbox},
    server::no_events,
    stop::Stop,
    worker,
};

/// The `main` of a poll source.
#[must_use]
pub fn poll_source<P: PollSource>() -> ExitCode {
    super::run(Shape::<P> {
        name: "poll-source",
        needs_sink: true,
        serves: false,
        events: |_, _| no_events(),
        work: |frame, adapter, stop| Box::pin(work(frame, adapter, stop)),
    })
}

async fn work<P: PollSource>(frame: Arc<Frame>, adapter: Arc<P>, stop: Stop) -> Result<(), Error> {
    let Some(sink) = frame.sink.clone() else { return Err(Error::permanent("there is no sink")) };
    let store = Arc::new(FileCheckpoints::open(frame.config.checkpoint_dir.as_deref())?);
    let outbox = Outbox::new(sink, stop.clone());
    let lanes: Vec<_> = adapter
        .streams()
        .into_iter()
        .map(|stream| {
            let lane = Lane {
                frame: Arc::clone(&frame),
                adapter: Arc::clone(&adapter),
                store: Arc::clone(&store),
                outbox: outbox.clone(),
                stop: stop.clone(),
                stream,
            };
            worker::spawn(lane.run())
        })
        .collect();
    for lane in lanes {
        lane.await.map_err(|error| Error::retryable("a stream ended by itself").caused_by(error))?;
    }
    Ok(())
}

/// One stream and its cursor.
struct Lane<P> {
    frame: Arc<Frame>,
    adapter: Arc<P>,
    store: Arc<FileCheckpoints>,
    outbox: Outbox,
    stop: Stop,
    stream: String,
}

impl<P: PollSource> Lane<P> {
    async fn run(self) {
        let mut backoff = Backoff::default();
        let mut record = None;
        while !self.stop.is_requested() {
            let begun = Instant::now();
            let pause = match self.poll(&mut record).await {
                Ok(more) => {
                    self.frame.health.succeeded();
                    backoff = Backoff::default();
                    if more { continue } else { self.adapter.interval().saturating_sub(begun.elapsed()) }
                }
                Err(error) => {
                    self.frame.health.failed();
                    let pause = backoff.next(error.retry_after()).min(self.adapter.interval());
                    tracing::warn!(
                        stream = self.stream, reason = error.chain(), retry_in_ms = pause.as_millis() as u64,
                        "a poll failed"
                    );
                    pause
                }
            };
            tokio::select! {
                () = worker::sleep(pause) => {}
                () = self.stop.requested() => {}
            }
        }
    }

    /// One page; true when there is more at once.
    async fn poll(&self, record: &mut Option<Record>) -> Result<bool, Error> {
        if record.is_none() {
            *record = self.store.load(&self.stream).await?;
        }
        let cursor = record.as_ref().map(|record| record.value.as_str());
        let page = self.adapter.poll(&self.stream, cursor).await?;
        for event in page.events {
            self.outbox.send(event).await?;
        }
        if let Some(next) = page.next {
            let version = record.as_ref().map(|record| record.version);
            *record = Some(self.store.compare_and_swap(&self.stream, version, next).await?);
        }
        Ok(page.more)
    }
}
