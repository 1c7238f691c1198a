//! Storing positions: of all lanes together, at times, and at once where a lane cannot go on without.

use std::sync::Arc;

use super::{Log, lane::Lane};
use crate::{Error, adapter::LogSource, send::Backoff, worker};

impl<L: LogSource> Log<L> {
    /// Commits whatever has come further, for as long as it is polled.
    pub(super) async fn commit_always(self: Arc<Self>) {
        let mut backoff = Backoff::default();
        loop {
            self.progressed.notified().await;
            tokio::select! {
                () = worker::sleep(self.adapter.pace()) => {}
                () = self.pressed.notified() => {}
            }
            let lanes: Vec<_> = self.lanes().values().map(Arc::clone).collect();
            match self.commit(&lanes).await {
                Ok(stored) => {
                    if stored && backoff.attempts() > 0 {
                        self.health.upstream().succeeded();
                    }
                    backoff = Backoff::default();
                }
                Err(error) => {
                    self.health.upstream().failed();
                    let pause = self.pause(&mut backoff, &error, "positions cannot be stored");
                    worker::sleep(pause).await;
                    self.progressed.notify_one();
                }
            }
        }
    }

    /// Stores how far these lanes have come; false when there was nothing to store.
    pub(super) async fn commit(&self, lanes: &[Arc<Lane<L>>]) -> Result<bool, Error> {
        let _alone = self.committing.lock().await;
        let progress: Vec<_> =
            lanes.iter().filter_map(|lane| Some((lane, lane.window.progress()?))).collect();
        if progress.is_empty() {
            return Ok(false);
        }
        let positions: Vec<_> = progress
            .iter()
            .map(|(lane, progress)| (Arc::clone(&lane.partition), progress.position.clone()))
            .collect();
        self.adapter.commit(&positions).await?;
        for (lane, progress) in &progress {
            lane.window.store(progress);
        }
        Ok(true)
    }
}
