//! Trimming: the stream is kept at its length, but never beyond what a group has not read or not acknowledged.
//!
//! Facts: `XINFO STREAM`, `XINFO GROUPS`, `XPENDING`, `XTRIM MINID`, <https://redis.io/docs/latest/commands/>.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use common::{Error, metrics::Gauges};
use redis::{Cmd, Pipeline, RedisResult, Value, cmd};

use super::{
    Names,
    client::{Client, Servers, failure},
    group::{self, Group},
    id::Id,
    metrics::Metrics,
    reader::Reader,
    reply,
};

/// Marks of how much was added when, at most.
const MARKS: usize = 256;

/// A length up to which the place to trim to is looked for in the stream itself, once at the start.
const SEARCHED: u64 = 10_000;

/// How often groups that nobody reads are looked for, and spoken of.
const ABANDONED: Duration = Duration::from_secs(60);

/// The state of the trimming.
#[derive(Debug)]
pub struct Trim {
    /// 0 = never.
    length: u64,
    /// Zero = never.
    group_expiry: Duration,
    metrics: Metrics,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How much had been added when some id was the last, in rising order.
    marks: VecDeque<(u64, Id)>,
    /// What this process removed, for servers that do not count what was added.
    removed: u64,
    abandoned_at: Option<Instant>,
}

impl Trim {
    pub fn new(length: u32, group_expiry: Duration, broker: &str) -> Self {
        Self { length: length.into(), group_expiry, metrics: Metrics::new(broker), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first look: is it a stream, and where would it be trimmed to?
    pub async fn look(&self, client: &Client, names: &Names) -> Result<(), Error> {
        let what = |error| failure("looking at the stream", &error);
        let length: u64 = ask(client, cmd("XLEN").arg(&names.stream)).await.map_err(what)?;
        if self.length == 0 || self.length > SEARCHED || length <= self.length {
            return Ok(());
        }
        let mut newest = cmd("XREVRANGE");
        newest.arg(&names.stream).arg("+").arg("-").arg("COUNT").arg(self.length + 1);
        let newest: Value = ask(client, &mut newest).await.map_err(what)?;
        if let Some(oldest) = reply::entries(newest).last() {
            self.state().marks.push_front((0, oldest.id));
        }
        Ok(())
    }

    /// Looks at the stream and its groups, and trims it.
    pub async fn upkeep(
        &self,
        client: &Client,
        names: &Names,
        letters: &str,
        servers: &Servers,
        readers: &[Arc<Reader>],
    ) {
        let round_trips = servers.round_trips.load(Relaxed).try_into().unwrap_or(i64::MAX);
        self.metrics.round_trips.with(&[]).set(round_trips);
        if let Err(error) = self.turn(client, names, letters, readers).await {
            let error = failure("looking after the stream", &error);
            tracing::warn!(reason = error.chain(), "the stream is not trimmed");
        }
    }

    async fn turn(
        &self,
        client: &Client,
        names: &Names,
        letters: &str,
        readers: &[Arc<Reader>],
    ) -> RedisResult<()> {
        let mut pipeline = Pipeline::new();
        pipeline.cmd("XINFO").arg("STREAM").arg(&names.stream);
        pipeline.cmd("XINFO").arg("GROUPS").arg(&names.stream);
        pipeline.cmd("XLEN").arg(letters);
        pipeline.ignore_errors();
        let asked = client.ask(|mut connection| async move { pipeline.query_async(&mut connection).await });
        let answers: Vec<RedisResult<Value>> = asked.await?;
        let mut answers = answers.into_iter();
        // No stream yet: nothing was ever appended, and there is no trigger.
        let (Some(Ok(info)), Some(Ok(Value::Array(groups)))) = (answers.next(), answers.next()) else {
            return Ok(());
        };
        let number = |name: &str| reply::member(&info, name).and_then(reply::number);
        let length = number("length").unwrap_or_default();
        let gauge = |gauges: &Gauges, value: u64| gauges.with(&[]).set(value.try_into().unwrap_or(i64::MAX));
        gauge(&self.metrics.length, length);
        if let Some(Ok(letters)) = answers.next() {
            gauge(&self.metrics.letters, reply::number(&letters).unwrap_or_default());
        }
        let groups = self.groups(client, names, groups).await?;
        self.observe(&groups, names, readers);
        let last = reply::member(&info, "last-generated-id").and_then(reply::id).unwrap_or_default();
        if let Some(beyond) = self.beyond(number("entries-added"), length, last) {
            let ends: HashMap<&str, Id> =
                readers.iter().filter_map(|reader| Some((reader.group.as_str(), reader.end?))).collect();
            let needed =
                groups.iter().filter_map(|group| group::needed(group, ends.get(group.name.as_str())));
            let first = needed.fold(beyond, Id::min);
            let mut trim = cmd("XTRIM");
            trim.arg(&names.stream).arg("MINID").arg("~").arg(first.to_string());
            let removed: u64 = ask(client, &mut trim).await?;
            self.state().removed += removed;
        }
        self.abandoned(client, names, &groups, readers).await
    }

    async fn groups(&self, client: &Client, names: &Names, found: Vec<Value>) -> RedisResult<Vec<Group>> {
        let mut groups: Vec<Group> = found.iter().filter_map(group::read).collect();
        let mut pipeline = Pipeline::new();
        for group in groups.iter().filter(|group| group.pending > 0) {
            pipeline.cmd("XPENDING").arg(&names.stream).arg(&group.name);
        }
        if pipeline.is_empty() {
            return Ok(groups);
        }
        let asked = client.ask(|mut connection| async move { pipeline.query_async(&mut connection).await });
        let answers: Vec<Value> = asked.await?;
        for (group, answer) in groups.iter_mut().filter(|group| group.pending > 0).zip(answers) {
            // Nothing any more: acknowledged between the two looks.
            let Value::Array(parts) = answer else { continue };
            group.oldest = parts.get(1).and_then(reply::id);
        }
        Ok(groups)
    }

    fn observe(&self, groups: &[Group], names: &Names, readers: &[Arc<Reader>]) {
        let own: HashSet<&str> = readers.iter().map(|reader| reader.group.as_str()).collect();
        for group in groups.iter().filter(|group| own.contains(group.name.as_str())) {
            let Some(trigger) = group.name.strip_prefix(&names.prefix) else { continue };
            let trigger = trigger.trim_start_matches('.');
            let number = |number: u64| number.try_into().unwrap_or(i64::MAX);
            self.metrics.pending.with(&[trigger]).set(number(group.pending));
            if let Some(lag) = group.lag {
                self.metrics.lag.with(&[trigger]).set(number(lag));
            }
        }
    }

    /// The id before which there are more entries than shall be kept; `None` when there are none.
    fn beyond(&self, added: Option<u64>, length: u64, last: Id) -> Option<Id> {
        if self.length == 0 {
            return None;
        }
        let mut state = self.state();
        let added = added.unwrap_or(length + state.removed);
        if state.marks.back().is_some_and(|(before, _)| added < *before) {
            // The server has forgotten the stream, and counts anew.
            state.marks.clear();
        }
        let step = (self.length / MARKS as u64).max(1);
        if state.marks.back().is_none_or(|(before, _)| added >= before + step) {
            state.marks.push_back((added, last));
        }
        let surplus = added.checked_sub(self.length)?;
        // All that were added when the mark was made are older than those that are kept.
        let mut found = None;
        while let Some((_, id)) = state.marks.front().filter(|(added, _)| *added <= surplus) {
            found = Some(*id);
            state.marks.pop_front();
        }
        if let Some(id) = found {
            // Kept: who holds the trimming back now may not in a moment.
            state.marks.push_front((0, id));
        }
        found.filter(|_| length > self.length).map(Id::next)
    }

    /// Speaks of groups that nobody reads, and removes them when that was asked for.
    async fn abandoned(
        &self,
        client: &Client,
        names: &Names,
        groups: &[Group],
        readers: &[Arc<Reader>],
    ) -> RedisResult<()> {
        {
            let mut state = self.state();
            if state.abandoned_at.is_some_and(|at| at.elapsed() < ABANDONED) {
                return Ok(());
            }
            state.abandoned_at = Some(Instant::now());
        }
        let own: HashSet<&str> = readers.iter().map(|reader| reader.group.as_str()).collect();
        let prefix = names.group("");
        let abandoned = groups
            .iter()
            .filter(|group| group.name.starts_with(&prefix) && !own.contains(group.name.as_str()));
        for group in abandoned {
            let mut info = cmd("XINFO");
            info.arg("CONSUMERS").arg(&names.stream).arg(&group.name);
            let consumers: Vec<Value> = ask(client, &mut info).await?;
            let idle = consumers
                .iter()
                .filter_map(|consumer| reply::member(consumer, "idle").and_then(reply::number))
                .min()
                .map(Duration::from_millis);
            let expired = idle.is_some_and(|idle| !self.group_expiry.is_zero() && idle >= self.group_expiry);
            if expired {
                let mut destroy = cmd("XGROUP");
                destroy.arg("DESTROY").arg(&names.stream).arg(&group.name);
                ask::<Value>(client, &mut destroy).await?;
                tracing::warn!(
                    group = group.name,
                    pending = group.pending,
                    "a group of no trigger has expired"
                );
            } else if idle.is_none_or(|idle| idle >= ABANDONED) {
                tracing::warn!(
                    group = group.name,
                    "a group of no trigger holds back the trimming; XGROUP DESTROY removes it, or REDIS_GROUP_EXPIRY"
                );
            }
        }
        Ok(())
    }
}

async fn ask<T: redis::FromRedisValue>(client: &Client, command: &mut Cmd) -> RedisResult<T> {
    let command = std::mem::take(command);
    client.ask(|mut connection| async move { command.query_async(&mut connection).await }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_to_trim_to_follows_what_was_added() {
        let trim = Trim::new(10, Duration::ZERO, "test-of-trim");
        assert_eq!(trim.beyond(Some(5), 5, Id::at(5)), None);
        assert_eq!(trim.beyond(Some(9), 9, Id::at(9)), None);
        assert_eq!(trim.beyond(Some(14), 14, Id::at(14)), None);
        assert_eq!(trim.beyond(Some(15), 15, Id::at(15)), Some(Id::at(5).next()));
        // Held back by somebody, it is said again.
        assert_eq!(trim.beyond(Some(16), 16, Id::at(16)), Some(Id::at(5).next()));
        assert_eq!(trim.beyond(Some(30), 14, Id::at(30)), Some(Id::at(16).next()));
        assert_eq!(trim.beyond(Some(30), 10, Id::at(30)), None);
        // A server that forgot everything begins anew.
        assert_eq!(trim.beyond(Some(3), 3, Id::at(40)), None);
        assert_eq!(trim.beyond(Some(13), 13, Id::at(50)), Some(Id::at(40).next()));
        assert_eq!(Trim::new(0, Duration::ZERO, "test-of-trim").beyond(Some(99), 99, Id::at(9)), None);
    }

    #[test]
    fn marks_are_few_however_long_the_stream() {
        let trim = Trim::new(1_000_000, Duration::ZERO, "test-of-trim");
        for added in 0..100_000 {
            trim.beyond(Some(added * 100), 1_000_000, Id::at(added));
        }
        assert!(trim.state().marks.len() <= MARKS + 2);
    }
}
