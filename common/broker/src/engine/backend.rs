//! What tells one broker from another: where its events are between acceptance and delivery.

use std::{fmt::Debug, future::Future, sync::Arc, time::Instant};

use common::{Error, Event};

use super::{Engine, Failed, Stored, Trigger};
use crate::{
    dlq::DeadLetters,
    document::Bounds,
    filter::Filter,
    room::{Amount, Rank, Room},
};

/// Where events are. The engine filters, delivers and retries; a backend takes events in, brings them to the queues of the
/// triggers, and is told when one is done with.
pub trait Backend: Debug + Sized + Send + Sync + 'static {
    /// Whether an entry that is not done with outlives the process: such a broker never gives an event up.
    const KEEPS: bool;
    /// What it has for each trigger, beside the queue.
    type Lane: Debug + Send + Sync + 'static;
    /// What it knows an entry of a queue by.
    type Receipt: Debug + Send + Sync + 'static;
    /// Where events are that could not be delivered.
    type Dead: DeadLetters;

    /// Where events are that could not be delivered and have no dead-letter address.
    fn dead(&self) -> &Self::Dead;

    /// Takes an event in. `Ok` is what a sender gets its 200 for.
    fn publish(
        engine: &Arc<Engine<Self>>,
        stored: &Arc<Stored>,
        rank: Rank,
    ) -> impl Future<Output = Result<(), Refused>> + Send;

    /// Takes the events of one batch in. `Ok` when all of them are; else none, as far as whatever holds the events can.
    fn publish_all(
        engine: &Arc<Engine<Self>>,
        stored: &[Arc<Stored>],
    ) -> impl Future<Output = Result<(), Refused>> + Send {
        async move {
            for stored in stored {
                Self::publish(engine, stored, Rank::New).await?;
            }
            Ok(())
        }
    }

    /// The room of one trigger.
    fn room(share: Amount) -> Arc<Room> {
        Room::new(share)
    }

    /// The lane of a new trigger; no I/O.
    fn lane(&self, trigger: &str, bounds: Option<&Bounds>) -> Self::Lane;

    /// A trigger is in force, new or still, with these filters. The filters of one that keeps events are in the lane; else
    /// they are given back, for the common index.
    fn opened(
        engine: &Arc<Engine<Self>>,
        trigger: &Arc<Trigger<Self>>,
        filters: Vec<Filter>,
        ephemeral: bool,
    ) -> Vec<Filter>;

    /// A trigger is in force no longer: it gets nothing new.
    fn closed(engine: &Arc<Engine<Self>>, trigger: &Arc<Trigger<Self>>) {
        let _ = (engine, trigger);
    }

    /// The target has the entry, or a dead letter; what was replied is in the backend.
    fn done(engine: &Arc<Engine<Self>>, trigger: &Arc<Trigger<Self>>, receipt: Self::Receipt) {
        let _ = (engine, trigger, receipt);
    }

    /// The first contact with whatever holds the events; before it nothing is taken in.
    fn connect(engine: &Arc<Engine<Self>>) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = engine;
        std::future::ready(Ok(()))
    }

    /// Whether whatever holds the events can be reached.
    fn is_ready(&self) -> bool {
        true
    }

    /// What is wrong with whatever holds the events, when something is.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// What is to be done from time to time; called each second.
    fn upkeep(engine: &Arc<Engine<Self>>) -> impl Future<Output = ()> + Send {
        let _ = engine;
        std::future::ready(())
    }

    /// Nothing new comes to the queues any more.
    fn stop_reading(engine: &Arc<Engine<Self>>) -> impl Future<Output = ()> + Send {
        let _ = engine;
        std::future::ready(())
    }

    /// The last thing: what was done is told to whatever holds the events.
    fn end(engine: &Arc<Engine<Self>>, deadline: Instant) -> impl Future<Output = ()> + Send {
        let _ = (engine, deadline);
        std::future::ready(())
    }
}

/// Why an event was not accepted.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refused {
    /// No room within the time: worth another try.
    #[error("the buffer is full")]
    Full,
    /// It could never have room.
    #[error("the event is larger than the buffer can hold")]
    TooLarge,
    /// What keeps the events did not take it: worth another try, or not.
    #[error("{}", .0.chain())]
    Unavailable(Error),
}

impl Refused {
    /// As the dead letter is told of a reply that could not come in.
    pub(super) fn of_reply(&self, event: &Event) -> Failed {
        let status = match self {
            Self::Full | Self::TooLarge => 429,
            Self::Unavailable(error) => error.status().as_u16(),
        };
        tracing::debug!(id = event.id(), reason = %self, "a reply cannot come in");
        Failed::refused(status, &format!("the reply cannot come in: {self}"))
    }
}
