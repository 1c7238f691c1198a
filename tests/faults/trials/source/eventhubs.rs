//! `azure-eventhubs-source` on a double of Event Hubs, with positions and owners in Azurite.

use std::ops::Range;
use std::time::Duration;

use kit::{Captured, Failure};
use peers::{Azurite, EventHubs, eventhubs::Published};
use serde_json::Value;

use super::{IN_FLIGHT, KEYS, Subject, Upstream};

const ADAPTER: &str = "azure-eventhubs-source";
const PARTITIONS: usize = 4;
const CONTAINER: &str = "positions";

pub fn subject() -> Subject {
    Subject {
        name: ADAPTER,
        adapter: ADAPTER,
        ordered: true,
        // A position covers all before it, so there is no batch of acknowledgements beside it.
        for_each_kill: IN_FLIGHT,
        // Who has nothing steals at once, as Azure's own processors do.
        for_each_theft: IN_FLIGHT,
        past: Duration::from_secs(4),
        start: || Ok(Box::new(Hub { hub: EventHubs::start(PARTITIONS)?, blobs: Azurite::start()? })),
    }
}

struct Hub {
    hub: EventHubs,
    blobs: Azurite,
}

impl Upstream for Hub {
    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("EVENTHUB_RESOURCE_ID", EventHubs::resource_id()),
            ("EVENTHUB_CONNECTION_STRING", EventHubs::connection_string(false)),
            ("EVENTHUB_ENDPOINT", self.hub.endpoint()),
            ("EVENTHUB_START_POSITION", "earliest".to_owned()),
            ("EVENTHUB_BALANCE_INTERVAL", "300ms".to_owned()),
            ("EVENTHUB_OWNERSHIP_EXPIRY", "2s".to_owned()),
            ("CHECKPOINT_URL", format!("{}/{CONTAINER}", self.blobs.endpoint())),
            ("AZURE_STORAGE_KEY", Azurite::KEY.to_owned()),
        ]
    }

    fn feed(&self, numbers: Range<usize>) -> Result<(), Failure> {
        for number in numbers {
            let partition = number % KEYS % PARTITIONS;
            self.hub.publish(partition, Published::body(number.to_string()));
        }
        Ok(())
    }

    fn number(&self, request: &Captured) -> Result<usize, Failure> {
        let data: Value = serde_json::from_slice(&request.body).map_err(|error| error.to_string())?;
        let number = data["Body"].as_u64().and_then(|number| usize::try_from(number).ok());
        number.ok_or_else(|| format!("no number in {data}"))
    }

    fn left(&self) -> Result<usize, Failure> {
        let blobs = self.blobs.list(CONTAINER)?;
        let stored = |partition: usize| {
            let blob = blobs.iter().find(|blob| blob.name.ends_with(&format!("/checkpoint/{partition}")))?;
            blob.metadata.get("sequencenumber")?.parse::<i64>().ok()
        };
        let left = |partition| {
            let stored = stored(partition).unwrap_or(-1);
            self.hub.partition(partition).iter().filter(|event| event.sequence > stored).count()
        };
        Ok((0..PARTITIONS).map(left).sum())
    }
}
