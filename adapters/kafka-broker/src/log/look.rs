//! Looks at the topic: whether it is there, where it begins and ends, and whether it still is the one it was.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use common::{Error, worker};
use kafka::topic::{Wanted, make};
use rdkafka::producer::Producer as _;

use super::{Topic, lag, reader::Reader};

/// How long a look may take.
const PROBE: Duration = Duration::from_secs(3);
/// How long making a topic may take.
const MAKING: Duration = Duration::from_secs(10);

impl Topic {
    /// How many partitions the topic has; `None` without the topic.
    async fn ask(&self, time: Duration) -> Result<Option<usize>, Error> {
        let (name, producer, watch) =
            (Arc::clone(&self.name), self.producers.current(), self.watch().clone());
        kafka::blocking(move || {
            kafka::partitions(producer.client(), &name, time)
                .map_err(|error| kafka::error("looking for TOPIC", error, &watch))
        })
        .await
    }

    async fn make(&self) -> Result<(), Error> {
        let wanted = Wanted {
            name: &self.name,
            partitions: self.partitions,
            replication: self.replication,
            settings: &[],
        };
        make(&self.connection, env!("CARGO_PKG_NAME"), self.watch(), &wanted, MAKING).await?;
        // Known to the controller is not yet known to all.
        worker::sleep(Duration::from_millis(100)).await;
        Ok(())
    }

    /// Makes sure that there is the topic.
    pub(super) async fn find(&self, time: Duration) -> Result<(), Error> {
        loop {
            if let Some(partitions) = self.ask(time).await? {
                self.found.set_partitions(partitions);
                return Ok(());
            }
            self.make().await?;
        }
    }

    /// Looks at the topic while it is read. One that is gone is told of, and made again.
    async fn look(&self, readers: &[Arc<Reader>]) -> Result<(), Error> {
        if self.ask(PROBE).await?.is_none() {
            // A node that has just begun may not know yet of all that there is: it is asked once more.
            if !self.is_gone.load(Relaxed) && !self.is_suspect.swap(true, Relaxed) {
                self.doubt.store(true, Relaxed);
                return Ok(());
            }
            self.is_gone(readers);
            self.make().await?;
        }
        self.find(PROBE).await?;
        let (producer, partitions) = (self.producers.current(), self.found.partitions());
        let ends = lag::look(producer, &self.name, partitions, self.watch()).await?;
        if self.found.ends.is_another(&ends) {
            // As above: a leader.
            if !self.is_suspect.swap(true, Relaxed) {
                return Ok(());
            }
            self.is_gone(readers);
        }
        self.is_suspect.store(false, Relaxed);
        self.found.ends.set(&ends);
        self.lag.tell(&ends, readers);
        for reader in readers {
            reader.looked(&ends).await;
        }
        Ok(())
    }

    /// Tells the readers that what they have not read is gone.
    fn is_gone(&self, readers: &[Arc<Reader>]) {
        if self.is_gone.swap(true, Relaxed) {
            return;
        }
        tracing::error!(topic = &*self.name, "the topic was deleted: what was in it is gone");
        readers.iter().for_each(|reader| reader.is_gone());
        self.found.ends.clear();
    }

    /// Looks at the topic while it is read, and says how it is.
    pub(super) async fn attend(&self, readers: &[Arc<Reader>]) {
        match self.look(readers).await {
            Ok(()) => {
                self.watch().clear();
                self.reach.works();
                if self.is_gone.swap(false, Relaxed) {
                    tracing::info!(topic = &*self.name, "the topic is there again");
                }
            }
            Err(error) => {
                let is_lasting = self.watch().is_refused() || self.is_gone.load(Relaxed);
                if self.reach.fails(&error, is_lasting) {
                    tracing::warn!(reason = error.chain(), "the topic cannot be reached");
                }
                self.producers.mend();
            }
        }
    }
}
