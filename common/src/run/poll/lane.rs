//! One stream of a poll source and its cursor.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    adapter::{Page, PollSource},
    checkpoint::{Checkpoints, Record},
    error::Error,
    health::Health,
    send::{Backoff, Outbox},
    stop::Stop,
    worker,
};

/// A stream, polled and delivered in turns: while events of a page are out, nothing is asked for.
pub(super) struct Lane<P> {
    pub(super) adapter: Arc<P>,
    pub(super) health: Arc<Health>,
    pub(super) positions: Arc<dyn Checkpoints>,
    pub(super) key: String,
    pub(super) stream: String,
    pub(super) outbox: Outbox,
    pub(super) retry_after_max: Duration,
    pub(super) stop: Stop,
}

/// What the lane knows of the stored position.
enum Position {
    /// Nothing yet, or it is no longer sure.
    Unread,
    At(Option<Record>),
}

impl<P: PollSource> Lane<P> {
    /// Polls until the process is asked to stop.
    pub(super) async fn run(self) {
        let mut backoff = Backoff::default();
        let mut position = Position::Unread;
        while !self.stop.is_requested() {
            let begun = Instant::now();
            let pause = match self.turn(&mut position).await {
                _ if self.stop.is_requested() => return,
                Ok(more) => {
                    self.health.upstream().succeeded();
                    backoff = Backoff::default();
                    if more {
                        Duration::ZERO
                    } else {
                        self.adapter.interval().saturating_sub(begun.elapsed())
                    }
                }
                Err(error) => {
                    let pause = self.pause(&mut backoff, &error).min(self.longest(&error));
                    self.failed(&error, pause, "a poll failed");
                    pause
                }
            };
            self.wait(pause).await;
        }
    }

    /// One page, its events, its cursor; true when there is more at once.
    async fn turn(&self, position: &mut Position) -> Result<bool, Error> {
        if let Position::Unread = position {
            *position = Position::At(self.positions.load(&self.key).await?);
        }
        let record = match position {
            Position::At(record) => record.as_ref(),
            Position::Unread => None,
        };
        let cursor = record.map(|record| record.value.as_str());
        let page = tokio::select! {
            page = self.adapter.poll(&self.stream, cursor) => page?,
            // What is not here yet can be asked for again.
            () = self.stop.requested() => return Ok(false),
        };
        let Page { events, next, more } = page;
        for event in events {
            self.outbox.send(event).await?;
        }
        if let Some(next) = next {
            let version = record.map(|record| record.version);
            *position = self.store(version, &next).await;
        }
        Ok(more)
    }

    /// Stores the cursor of a page that was accepted, however long it takes: to poll before would send the page again.
    async fn store(&self, version: Option<u64>, next: &str) -> Position {
        let mut backoff = Backoff::default();
        loop {
            match self.positions.compare_and_swap(&self.key, version, next).await {
                Ok(Some(record)) => return Position::At(Some(record)),
                Ok(None) => {
                    // Our own attempt that seemed to fail, or a second process: what is stored counts.
                    tracing::warn!(
                        stream = self.stream,
                        "the position was changed by somebody else: it is read again"
                    );
                    return Position::Unread;
                }
                Err(error) => {
                    let pause = self.pause(&mut backoff, &error);
                    self.failed(&error, pause, "a position cannot be stored");
                    self.wait(pause).await;
                    if self.stop.is_requested() {
                        return Position::Unread;
                    }
                }
            }
        }
    }

    /// The next pause, as long as was asked for but never for ever.
    fn pause(&self, backoff: &mut Backoff, error: &Error) -> Duration {
        backoff.next(error.retry_after().map(|asked| asked.min(self.retry_after_max)))
    }

    /// A failed poll is no reason to wait longer than for the next one, unless it was asked for.
    fn longest(&self, error: &Error) -> Duration {
        self.adapter.interval().max(error.retry_after().unwrap_or_default())
    }

    fn failed(&self, error: &Error, pause: Duration, message: &'static str) {
        self.health.upstream().failed();
        let retry_in_ms = pause.as_millis() as u64;
        tracing::warn!(stream = self.stream, reason = error.chain(), retry_in_ms, "{message}");
    }

    async fn wait(&self, pause: Duration) {
        tokio::select! {
            () = worker::sleep(pause) => {}
            () = self.stop.requested() => {}
        }
    }
}
