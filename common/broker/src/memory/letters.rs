//! A copy of the events that were lost because no dead letter took them, the newest of them, for as long as the process
//! lives.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use common::{Error, Event, Text};

use crate::{
    dlq::{Dead, DeadLetters},
    room::Amount,
};

/// More are not of use to a person.
const MOST: usize = 1000;

/// The copies; the oldest goes when there is no room.
#[derive(Debug)]
pub struct Letters {
    limit: Amount,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    letters: VecDeque<(u64, Event)>,
    bytes: usize,
    last: u64,
}

impl Letters {
    /// So many at most.
    pub(super) fn new(limit: Amount) -> Self {
        let limit = Amount { events: limit.events.min(MOST), ..limit };
        Self { limit, kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// The place of the first that is behind a number.
    fn behind(&self, number: u64) -> usize {
        self.letters.partition_point(|(known, _)| *known <= number)
    }

    fn place(&self, id: &str) -> Option<usize> {
        let number: u64 = id.parse().ok()?;
        self.letters.binary_search_by_key(&number, |(known, _)| *known).ok()
    }

    fn remove(&mut self, place: usize) {
        if let Some((_, event)) = self.letters.remove(place) {
            self.bytes -= event.size();
        }
    }
}

impl DeadLetters for Letters {
    async fn put(&self, event: Event) -> Result<(), Error> {
        let mut kept = self.kept();
        kept.last += 1;
        kept.bytes += event.size();
        let number = kept.last;
        kept.letters.push_back((number, event));
        while kept.letters.len() > self.limit.events || kept.bytes > self.limit.bytes {
            kept.remove(0);
        }
        Ok(())
    }

    async fn page(&self, after: Option<&str>, limit: usize) -> Result<Vec<Dead>, Error> {
        let number = after.unwrap_or("0").parse().map_err(|_| Error::permanent("after is not an id"))?;
        let kept = self.kept();
        let found = kept.letters.iter().skip(kept.behind(number)).take(limit);
        Ok(found.map(dead).collect())
    }

    async fn get(&self, id: &str) -> Result<Option<Dead>, Error> {
        let kept = self.kept();
        Ok(kept.place(id).and_then(|place| kept.letters.get(place)).map(dead))
    }

    async fn remove(&self, id: &str) -> Result<bool, Error> {
        let mut kept = self.kept();
        let place = kept.place(id);
        place.into_iter().for_each(|place| kept.remove(place));
        Ok(place.is_some())
    }
}

fn dead((number, event): &(u64, Event)) -> Dead {
    Dead { id: Text::from(number.to_string()), event: event.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str) -> Event {
        Event::new(id, "/a", "t").unwrap()
    }

    fn ids(found: &[Dead]) -> Vec<&str> {
        found.iter().map(|dead| dead.event.id()).collect()
    }

    #[test]
    fn the_newest_are_kept_in_order() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let letters = Letters::new(Amount { events: 3, bytes: 1 << 20 });
            for id in ["1", "2", "3", "4", "5"] {
                letters.put(event(id)).await.unwrap();
            }
            let first = letters.page(None, 2).await.unwrap();
            assert_eq!(ids(&first), ["3", "4"]);
            let second = letters.page(Some(&first[1].id), 2).await.unwrap();
            assert_eq!(ids(&second), ["5"]);
            assert!(letters.page(Some(&second[0].id), 2).await.unwrap().is_empty());
            assert!(letters.remove("4").await.unwrap());
            assert!(!letters.remove("4").await.unwrap() && !letters.remove("x").await.unwrap());
            assert_eq!(letters.get("3").await.unwrap().map(|dead| dead.event), Some(event("3")));
            assert!(letters.get("1").await.unwrap().is_none());
            assert_eq!(ids(&letters.page(None, 9).await.unwrap()), ["3", "5"]);
            assert!(letters.page(Some("x"), 2).await.unwrap_err().is_permanent());

            let small = Letters::new(Amount { events: 3, bytes: 5 });
            small.put(event("1")).await.unwrap();
            small.put(event("22222")).await.unwrap();
            assert!(small.page(None, 9).await.unwrap().is_empty());
        });
    }
}
