//! An open partition: a link in a task of its own, and what it has received.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use azure_messaging_eventhubs::{
    ConsumerClient, EventHubsError, OpenReceiverOptions, StartLocation, StartPosition,
    models::ReceivedEventData,
};
use common::worker;
use futures_util::StreamExt;
use tokio::{sync::mpsc, time::timeout};

use super::store::{Position, Version};

/// Events between the link and who reads; the link has more in advance.
const HANDED: usize = 16;
/// Time to take a link off.
const FAREWELL: Duration = Duration::from_secs(3);
/// All replicas have the same level: who opens a link takes the partition from whoever has it.
const OWNER_LEVEL: i64 = 0;

/// A partition that this process reads.
pub struct Partition {
    pub id: String,
    pub inbox: tokio::sync::Mutex<Inbox>,
    stored: Mutex<Stored>,
}

/// What is stored of it.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    pub version: Option<Version>,
    /// What was tried to be stored last, perhaps with success.
    pub tried: Option<Position>,
}

impl Partition {
    /// Nothing is opened yet.
    pub fn new(id: String, from: StartPosition, version: Option<Version>) -> Self {
        let inbox = tokio::sync::Mutex::new(Inbox { from, link: None });
        Self { id, inbox, stored: Mutex::new(Stored { version, tried: None }) }
    }

    pub fn stored(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was received, and from where to go on when the link breaks.
pub struct Inbox {
    from: StartPosition,
    link: Option<Link>,
}

struct Link {
    client: Arc<ConsumerClient>,
    events: mpsc::Receiver<Result<ReceivedEventData, Trouble>>,
    /// Trouble that came behind events, to be told when these were given.
    trouble: Option<Trouble>,
}

/// Why a link gives nothing any more.
#[derive(Debug)]
pub enum Trouble {
    /// The service, or the way to it, says so.
    Failed(EventHubsError),
    /// It was silent though there are events.
    Silent,
}

/// How links are opened.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Events that lie ready.
    pub prefetch: u32,
    /// After which silence a partition is looked at.
    pub patience: Duration,
}

impl Inbox {
    pub fn is_open(&self) -> bool {
        self.link.is_some()
    }

    /// Opens a link behind the last event that was given.
    pub fn open(&mut self, id: &str, client: &Arc<ConsumerClient>, terms: Terms) {
        let (sender, events) = mpsc::channel(HANDED);
        let receiving = receive(Arc::clone(client), id.to_owned(), self.from.clone(), terms, sender);
        // It ends when nobody takes its events any more.
        worker::spawn(receiving);
        self.link = Some(Link { client: Arc::clone(client), events, trouble: None });
    }

    /// Gives the link up, and the client that it was opened with.
    pub fn close(&mut self) -> Option<Arc<ConsumerClient>> {
        self.link.take().map(|link| link.client)
    }

    /// Waits for events and gives at most `max`.
    pub async fn receive(&mut self, max: usize) -> Result<Vec<ReceivedEventData>, Trouble> {
        let Some(link) = &mut self.link else { return Err(Trouble::Silent) };
        if let Some(trouble) = link.trouble.take() {
            return Err(trouble);
        }
        let mut received = vec![link.events.recv().await.unwrap_or(Err(Trouble::Silent))?];
        while received.len() < max {
            match link.events.try_recv() {
                Ok(Ok(event)) => received.push(event),
                Ok(Err(trouble)) => {
                    link.trouble = Some(trouble);
                    break;
                }
                Err(_) => break,
            }
        }
        if let Some(sequence) = received.last().and_then(ReceivedEventData::sequence_number) {
            self.from = StartPosition { location: StartLocation::SequenceNumber(sequence), inclusive: false };
        }
        Ok(received)
    }
}

/// Receives until there is trouble, or nobody takes events any more.
async fn receive(
    client: Arc<ConsumerClient>,
    id: String,
    from: StartPosition,
    terms: Terms,
    sender: mpsc::Sender<Result<ReceivedEventData, Trouble>>,
) {
    let options = OpenReceiverOptions {
        owner_level: Some(OWNER_LEVEL),
        prefetch: Some(terms.prefetch),
        start_position: Some(from.clone()),
        receive_timeout: None,
    };
    let receiver = match client.open_receiver_on_partition(id.clone(), Some(options)).await {
        Ok(receiver) => receiver,
        Err(error) => return drop(sender.send(Err(Trouble::Failed(error))).await),
    };
    let mut silence = Silence { last: behind(&from), end: None };
    {
        let mut events = receiver.stream_events();
        loop {
            let next = tokio::select! {
                next = timeout(terms.patience, events.next()) => next,
                () = sender.closed() => break,
            };
            let outcome = match next {
                Ok(Some(Ok(event))) => {
                    silence = Silence { last: event.sequence_number().or(silence.last), end: None };
                    Ok(Some(event))
                }
                Ok(Some(Err(error))) => Err(Trouble::Failed(error)),
                Ok(None) => Err(Trouble::Silent),
                Err(_) => silence.look(&client, &id).await.map(|()| None),
            };
            let is_over = outcome.is_err();
            let Some(told) = outcome.transpose() else { continue };
            if sender.send(told).await.is_err() || is_over {
                break;
            }
        }
    }
    // A link that has failed cannot say farewell.
    let _ = timeout(FAREWELL, receiver.close()).await;
}

/// The sequence number behind which a link begins, where it is known.
fn behind(from: &StartPosition) -> Option<i64> {
    match from.location {
        StartLocation::SequenceNumber(sequence) => Some(sequence),
        StartLocation::Earliest => Some(-1),
        _ => None,
    }
}

/// What is known of a partition from which nothing comes.
struct Silence {
    last: Option<i64>,
    /// The last event that was there when it was looked at before.
    end: Option<i64>,
}

impl Silence {
    /// Looks whether there are events that should have come since the last look.
    async fn look(&mut self, client: &ConsumerClient, id: &str) -> Result<(), Trouble> {
        if self.last.zip(self.end).is_some_and(|(last, end)| end > last) {
            return Err(Trouble::Silent);
        }
        match timeout(FAREWELL * 3, client.get_partition_properties(id)).await {
            Ok(Ok(properties)) => {
                let is_there = !properties.is_empty
                    && properties.beginning_sequence_number <= properties.last_enqueued_sequence_number;
                self.end = Some(properties.last_enqueued_sequence_number).filter(|_| is_there);
                Ok(())
            }
            Ok(Err(error)) => Err(Trouble::Failed(error)),
            Err(_) => Err(Trouble::Silent),
        }
    }
}
