//! The one connection to the hub, and what is asked of it beside events.

use std::{collections::BTreeSet, sync::Arc};

use azure::EventHub;
use azure_messaging_eventhubs::{ConsumerClient, models::EventHubPartitionProperties};
use common::Error;

/// A consumer group of a hub.
pub struct Reader {
    pub hub: EventHub,
    pub group: String,
    /// Given up when it fails, so that whoever comes next makes another; links that still work keep theirs.
    client: tokio::sync::Mutex<Option<Arc<ConsumerClient>>>,
}

impl Reader {
    /// Nothing is connected yet.
    pub fn new(hub: EventHub, group: String) -> Self {
        Self { hub, group, client: tokio::sync::Mutex::default() }
    }

    pub async fn client(&self) -> Result<Arc<ConsumerClient>, Error> {
        let mut held = self.client.lock().await;
        if let Some(client) = &*held {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(self.hub.consumer(&self.group).await?);
        Ok(Arc::clone(held.insert(client)))
    }

    pub async fn give_up(&self, client: &Arc<ConsumerClient>) {
        let mut held = self.client.lock().await;
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, client)) {
            *held = None;
        }
    }

    /// The ids of the partitions that there are.
    pub async fn partitions(&self) -> Result<BTreeSet<String>, Error> {
        let client = self.client().await?;
        let asked = self
            .hub
            .within("asking for the partitions of the event hub", client.get_eventhub_properties())
            .await;
        match asked {
            Ok(properties) => Ok(properties.partition_ids.into_iter().collect()),
            Err(error) => {
                self.give_up(&client).await;
                Err(error)
            }
        }
    }

    /// Where a partition begins and ends.
    pub async fn ends(&self, id: &str) -> Result<EventHubPartitionProperties, Error> {
        let client = self.client().await?;
        let asked =
            self.hub.within("asking for the ends of a partition", client.get_partition_properties(id)).await;
        if asked.is_err() {
            self.give_up(&client).await;
        }
        asked
    }
}
