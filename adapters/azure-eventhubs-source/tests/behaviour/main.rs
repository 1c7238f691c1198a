//! What comes out of the Event Hubs source for what is in the hub: the real binary between a double of Event Hubs, stores of
//! positions, and a sink.

mod events;
mod positions;
mod replicas;
mod trouble;

use std::collections::BTreeMap;

use kit::{Event, Failure, Folder, Process, Sink};
use peers::{EventHubs, eventhubs::Published};

type Outcome = Result<(), Failure>;

/// A hub, a sink and a folder for positions; processes between them come and go.
struct Scene {
    hub: EventHubs,
    sink: Sink,
    folder: Folder,
}

impl Scene {
    fn new(partitions: usize) -> Result<Self, Failure> {
        Ok(Self { hub: EventHubs::start(partitions)?, sink: Sink::start()?, folder: Folder::new()? })
    }

    /// A process with these settings over those that all need.
    fn start(&self, settings: &[(&str, &str)]) -> Result<Process, Failure> {
        let positions = self.folder.path().join("positions").display().to_string();
        let base = [
            ("EVENTHUB_RESOURCE_ID", &*EventHubs::resource_id()),
            ("EVENTHUB_CONNECTION_STRING", &*EventHubs::connection_string(false)),
            ("EVENTHUB_ENDPOINT", &*self.hub.endpoint()),
            ("EVENTHUB_BALANCE_INTERVAL", "200ms"),
            ("EVENTHUB_OWNERSHIP_EXPIRY", "2s"),
            ("CHECKPOINT_DIR", &*positions),
            ("K_SINK", &*self.sink.url("/")),
        ];
        Process::start("azure-eventhubs-source", &[], &[&base, settings].concat())
    }

    /// A process that reads all partitions.
    fn reading(&self, settings: &[(&str, &str)], partitions: usize) -> Result<Process, Failure> {
        let mut process = self.start(settings)?;
        let attached =
            self.hub.wait_for_readers("receivers of all partitions", |readers| readers.len() == partitions);
        attached.map_err(|error| format!("{error}; {}", process.output()))?;
        process.wait_for_status("/readyz", 200)?;
        Ok(process)
    }

    /// Puts events into partitions by turns; each has its number as body.
    fn feed(&self, numbers: std::ops::Range<usize>, partitions: usize) {
        for number in numbers {
            self.hub.publish(number % partitions, Published::body(number.to_string()));
        }
    }

    /// How often each number has arrived, once all of them have.
    fn all(&self, numbers: std::ops::Range<usize>) -> Result<BTreeMap<usize, usize>, Failure> {
        kit::within(kit::PATIENCE * 2, &format!("all of {numbers:?}"), || {
            let counts = self.counts().ok()?;
            numbers.clone().all(|number| counts.contains_key(&number)).then_some(counts)
        })
        .map_err(|error| format!("{error}; there are {:?}", self.counts().map(|counts| counts.len())))
    }

    fn counts(&self) -> Result<BTreeMap<usize, usize>, Failure> {
        let mut counts = BTreeMap::new();
        for event in self.events()? {
            *counts.entry(number(&event)?).or_default() += 1;
        }
        Ok(counts)
    }

    fn events(&self) -> Result<Vec<Event>, Failure> {
        self.sink.requests().iter().map(kit::Captured::event).collect()
    }
}

/// The number in the body of a message.
fn number(event: &Event) -> Result<usize, Failure> {
    let body = &event.json()["Body"];
    body.as_u64().map(|number| number as usize).ok_or_else(|| format!("no number in {event:?}"))
}

fn stop(mut process: Process) -> Outcome {
    process.stop()
}
