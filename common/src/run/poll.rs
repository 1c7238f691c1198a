//! Poll sources: one poll at a time for each stream, the cursor stored only after every event was accepted.

mod lane;
#[cfg(test)]
mod tests;

use std::{process::ExitCode, sync::Arc};

use self::lane::Lane;
use super::{Frame, Shape};
use crate::{adapter::PollSource, error::Error, send::Outbox, server::no_events, stop::Stop, worker};

/// The `main` of a poll source.
#[must_use]
pub fn poll_source<P: PollSource>() -> ExitCode {
    super::run(Shape::<P> {
        name: "poll-source",
        needs_sink: true,
        serves: false,
        keeps_positions: |_| true,
        prepare: |_, _| {},
        events: |_, _| no_events(),
        work: |frame, adapter, stop| Box::pin(work(frame, adapter, stop)),
    })
}

async fn work<P: PollSource>(frame: Arc<Frame>, adapter: Arc<P>, stop: Stop) -> Result<(), Error> {
    let Some(sink) = frame.sink.clone() else { return Err(Error::permanent("there is no sink")) };
    let Some(positions) = frame.positions.clone() else {
        return Err(Error::permanent("there is no store of positions"));
    };
    let owner =
        [P::INFO.name, frame.config.namespace.as_deref().unwrap_or_default(), &frame.config.name].join("/");
    let lanes: Vec<_> = adapter
        .streams()
        .into_iter()
        .map(|stream| {
            let lane = Lane {
                adapter: Arc::clone(&adapter),
                health: Arc::clone(&frame.health),
                positions: Arc::clone(&positions),
                // Several sources may share a folder or a store.
                key: format!("{owner}/{stream}"),
                stream,
                outbox: Outbox::new(Arc::clone(&sink), stop.clone()),
                retry_after_max: *frame.config.retry_after_max,
                stop: stop.clone(),
            };
            worker::spawn(until_time_is_up(lane, stop.clone()))
        })
        .collect();
    for lane in lanes {
        lane.await.map_err(|error| Error::retryable("a stream ended by itself").caused_by(error))?;
    }
    Ok(())
}

/// Runs a lane to its end. What is still out when the time for that is over is let go as a crash would do it: the cursor
/// has not moved, so nothing is lost.
async fn until_time_is_up<P: PollSource>(lane: Lane<P>, stop: Stop) {
    let time_is_up = async {
        stop.closed().await;
        if let Some(deadline) = stop.deadline() {
            tokio::time::sleep_until(deadline.into()).await;
        }
    };
    tokio::select! {
        () = lane.run() => {}
        () = time_is_up => tracing::warn!("an event was not accepted before the end: it will be asked for again"),
    }
}
