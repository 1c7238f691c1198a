//! One trigger's view of the topic: a member of its consumer group, and the partitions that it is given.

mod begin;
mod lane;
mod reached;
mod session;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use broker::{
    document::{Bounds, ids::offset},
    log::Batch,
};
use common::Error;
use kafka::{
    Connection, Watch,
    consumer::{Group, PartitionAssignment},
};
use rdkafka::{
    admin::{AdminClient, AdminOptions},
    config::FromClientConfigAndContext as _,
    error::{KafkaError, RDKafkaErrorCode},
};
use tokio::sync::{Notify, watch};

pub use self::lane::Position;
use self::{begin::has_place, reached::Reached, session::Session};
use super::ends::{Ends, Range};
use crate::config;
pub use broker::document::ids::of_offsets as check;

/// Where a trigger begins when its group is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With what is appended from now on.
    Latest,
    /// At this offset of each partition.
    Offset(i64),
    /// At the first record of this time or later, in milliseconds.
    Time(i64),
}

/// Where a trigger ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Before this offset of each partition.
    Offset(i64),
    /// Before the first record that is later than this, in milliseconds.
    Time(i64),
}

/// Ids win over times, as ever.
fn limits(bounds: &Bounds) -> (Start, Option<End>) {
    let (ids, dates) = (&bounds.by_id, &bounds.by_date);
    let start = match (ids.start.as_deref().and_then(offset), dates.start) {
        (Some(offset), _) => Start::Offset(offset),
        (None, Some(time)) => Start::Time(time),
        (None, None) => Start::Latest,
    };
    let end = ids.end.as_deref().and_then(offset).map(End::Offset).or(dates.end.map(End::Time));
    (start, end)
}

/// What the readers of all triggers have together.
pub struct Found {
    connection: Connection,
    topic: String,
    prefix: String,
    session: Duration,
    /// Records that one trigger has in hand.
    most: usize,
    /// How many partitions there are; 0 while that is not known.
    partitions: watch::Sender<usize>,
    /// Where they begin and end.
    pub ends: Ends,
}

impl Found {
    pub fn new(connection: Connection, topic: &str, prefix: &str, session: Duration, most: usize) -> Self {
        let (topic, prefix) = (topic.to_owned(), prefix.to_owned());
        let (partitions, ends) = (watch::Sender::new(0), Ends::default());
        Self { connection, topic, prefix, session, most, partitions, ends }
    }

    /// How many partitions there are; 0 while that is not known.
    pub fn partitions(&self) -> usize {
        *self.partitions.borrow()
    }

    /// The topic is there.
    pub fn set_partitions(&self, count: usize) {
        self.partitions.send_if_modified(|known| std::mem::replace(known, count) != count);
    }

    /// The group of a trigger.
    fn group(&self, trigger: &str, filled: &Arc<Notify>) -> Group {
        Group {
            connection: self.connection.clone(),
            client: env!("CARGO_PKG_NAME"),
            topic: self.topic.clone(),
            id: format!("{}.{trigger}", self.prefix),
            session: self.session,
            assignment: PartitionAssignment::CooperativeSticky,
            partitions: *self.partitions.borrow(),
            filled: Some(Arc::clone(filled)),
        }
    }
}

/// A consumer group, and this process as a member of it.
pub struct Reader {
    found: Arc<Found>,
    trigger: String,
    start: Start,
    end: Option<End>,
    watch: Watch,
    reached: Arc<Reached>,
    session: Mutex<Option<Arc<Session>>>,
    /// One who subscribes at a time.
    subscribing: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("trigger", &self.trigger).finish_non_exhaustive()
    }
}

impl Reader {
    /// Nothing is asked yet.
    pub fn new(found: &Arc<Found>, trigger: &str, bounds: Option<&Bounds>) -> Self {
        let (start, end) = bounds.map_or((Start::Latest, None), limits);
        Self {
            found: Arc::clone(found),
            trigger: trigger.to_owned(),
            start,
            end,
            watch: config::watch(),
            reached: Arc::default(),
            session: Mutex::default(),
            subscribing: tokio::sync::Mutex::default(),
        }
    }

    fn session(&self) -> Option<Arc<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn swap(&self, session: Option<Arc<Session>>) -> Option<Arc<Session>> {
        std::mem::replace(&mut *self.session.lock().unwrap_or_else(PoisonError::into_inner), session)
    }

    /// The name of its trigger.
    pub fn trigger(&self) -> &str {
        &self.trigger
    }

    /// The partitions that it has, how far each is done, and how many records are in hand.
    pub fn progress(&self) -> Vec<(i32, Option<i64>, usize)> {
        self.session().map(|session| session.progress()).unwrap_or_default()
    }

    /// Joins the group, and waits until it has a position for each partition.
    pub async fn subscribe(&self) -> Result<(), Error> {
        let _alone = self.subscribing.lock().await;
        let mut partitions = self.found.partitions.subscribe();
        let known = partitions.wait_for(|count| *count > 0).await.map(|_| ());
        known.map_err(|error| Error::retryable("waiting for the topic").caused_by(error))?;
        let session = match self.session() {
            Some(session) => session,
            None => {
                let session = Session::begin(self)?;
                self.swap(Some(Arc::clone(&session)));
                session
            }
        };
        has_place(&session.group, &self.watch).await?;
        self.reached.set_placed();
        Ok(())
    }

    /// The topic is gone, or was: what was not read is lost.
    pub fn is_gone(&self) {
        self.reached.is_gone(&self.found.ends);
        if let Some(session) = self.session() {
            session.renew();
        }
    }

    /// The topic is there, and goes from there to there.
    pub async fn looked(&self, found: &BTreeMap<i32, Range>) {
        let held: Vec<_> = self.progress().into_iter().map(|(partition, ..)| partition).collect();
        self.reached.looked(found, &held);
        if let Some(session) = self.session() {
            session.find_partitions().await;
        }
    }

    /// How many records are gone that were not read, since the last time.
    pub fn take_lost(&self) -> u64 {
        self.reached.take_lost()
    }

    /// Records of any partition.
    pub async fn read(&self, most: usize) -> Result<Batch<Position>, Error> {
        let Some(session) = self.session() else {
            return Err(Error::retryable("reading the topic: the group is left"));
        };
        session.read(most, self.found.most).await
    }

    /// Moves the positions of the group over what is done without a gap.
    pub async fn acknowledge(&self, positions: &[Position]) -> Result<(), Error> {
        match self.session() {
            Some(session) => session.acknowledge(positions).await,
            // Whoever has the partitions now reads again what was not told in time.
            None => Ok(()),
        }
    }

    /// Leaves the group; `forget` removes it.
    pub async fn leave(&self, forget: bool) {
        let Some(session) = self.swap(None) else { return };
        let group = session.group.clone();
        session.leave().await;
        if !forget {
            return;
        }
        if let Err(error) = remove(&group, &self.watch).await {
            tracing::warn!(group = group.id, reason = error.chain(), "a consumer group stays behind");
        }
    }
}

async fn remove(group: &Group, watch: &Watch) -> Result<(), Error> {
    let failed = |error| kafka::error("removing GROUP_ID", error, watch);
    let settings = group.connection.client_config(group.client);
    let admin = AdminClient::<Watch>::from_config_and_context(&settings, watch.clone()).map_err(failed)?;
    let options = AdminOptions::new().request_timeout(Some(kafka::CALL));
    let results = admin.delete_groups(&[&group.id], &options).await.map_err(failed)?;
    for result in results {
        match result {
            Err((_, RDKafkaErrorCode::NonEmptyGroup)) => {
                tracing::info!(group = group.id, "another process is in the consumer group, and removes it");
            }
            other => drop(other.map_err(|(_, code)| failed(KafkaError::AdminOp(code)))?),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use broker::document::Span;

    use super::*;

    #[test]
    fn ids_win_over_times() {
        let text = |text: &str| Some(text.to_owned());
        for ((start, end), (from, to), expected) in [
            ((None, None), (Some(5), Some(9)), (Start::Time(5), Some(End::Time(9)))),
            ((text("7"), None), (Some(5), Some(9)), (Start::Offset(7), Some(End::Time(9)))),
            ((text("0"), text("7")), (None, None), (Start::Offset(0), Some(End::Offset(7)))),
            ((None, text("7")), (None, Some(9)), (Start::Latest, Some(End::Offset(7)))),
        ] {
            let bounds = Bounds { by_id: Span { start, end }, by_date: Span { start: from, end: to } };
            assert_eq!(check(&bounds), Ok(()));
            assert_eq!(limits(&bounds), expected);
        }
        for id in ["now", "-1", "1-0", "1.5"] {
            let bounds = Bounds { by_id: Span { start: None, end: text(id) }, ..Bounds::default() };
            assert!(check(&bounds).is_err_and(|why| why.starts_with("byId.end: expected an offset")), "{id}");
        }
    }
}
