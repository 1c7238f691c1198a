//! Messages that the sink has refused, until they are handed back: the service itself would send them again at once.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use common::Text;

/// Most messages whose refusals are counted.
const COUNTED: usize = 10_000;

/// Messages by the time at which they go back. Those with one ordering key go back together, so that none overtakes
/// another.
pub struct Held<H> {
    most: usize,
    groups: Vec<Group<H>>,
    refused: HashMap<String, u32>,
}

struct Group<H> {
    due: Instant,
    key: Option<Text>,
    handlers: Vec<H>,
}

impl<H> Default for Held<H> {
    fn default() -> Self {
        Self { most: 100, groups: Vec::new(), refused: HashMap::new() }
    }
}

impl<H> Held<H> {
    /// Says how many messages may be held; with more, those whose time comes next are handed back early. The service
    /// counts them among those that it has sent.
    pub fn set_most(&mut self, most: usize) {
        self.most = most;
    }

    /// Holds a message that was refused. What has to go back at once because of it is given.
    pub fn hold(
        &mut self,
        id: &str,
        key: Option<&Text>,
        handler: H,
        now: Instant,
        after: Duration,
    ) -> Vec<H> {
        if self.refused.len() == COUNTED {
            self.refused.clear();
        }
        *self.refused.entry(id.to_owned()).or_default() += 1;
        let due = now + after;
        match self.group(key) {
            Some(group) => {
                group.due = due;
                // It was received before those that wait behind it.
                group.handlers.insert(0, handler);
            }
            None => self.groups.push(Group { due, key: key.cloned(), handlers: vec![handler] }),
        }
        let mut early = Vec::new();
        while self.groups.iter().map(|group| group.handlers.len()).sum::<usize>() > self.most {
            let Some(next) = self.groups.iter().map(|group| group.due).min() else { break };
            early.extend(self.due(next));
        }
        early
    }

    /// Takes a message that has come while an earlier one with its key is held; gives it back when there is none.
    pub fn behind(&mut self, key: Option<&Text>, handler: H) -> Option<H> {
        match self.group(key) {
            Some(group) => {
                group.handlers.push(handler);
                None
            }
            None => Some(handler),
        }
    }

    /// What has to go back by now, the last of each key first.
    pub fn due(&mut self, now: Instant) -> Vec<H> {
        let mut due = Vec::new();
        let mut index = 0;
        while let Some(group) = self.groups.get(index) {
            if group.due <= now {
                due.extend(self.groups.swap_remove(index).handlers.into_iter().rev());
            } else {
                index += 1;
            }
        }
        due
    }

    /// Everything.
    pub fn all(&mut self) -> Vec<H> {
        self.groups.drain(..).flat_map(|group| group.handlers.into_iter().rev()).collect()
    }

    /// How often a message was received as far as is known here, this time included.
    pub fn receives(&self, id: &str) -> u32 {
        self.refused.get(id).copied().unwrap_or_default().saturating_add(1)
    }

    /// Forgets a message that is acknowledged.
    pub fn forget(&mut self, id: &str) {
        self.refused.remove(id);
    }

    fn group(&mut self, key: Option<&Text>) -> Option<&mut Group<H>> {
        let key = key?;
        self.groups.iter_mut().find(|group| group.key.as_ref() == Some(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn a_key_goes_back_as_a_whole_and_the_last_first() {
        let now = Instant::now();
        let key = Text::from_static("k");
        let mut held = Held::default();
        assert_eq!(held.behind(Some(&key), "b"), Some("b"));
        assert!(held.hold("1", Some(&key), "a", now, LONG).is_empty());
        assert!(held.hold("9", None, "x", now, LONG * 2).is_empty());
        assert_eq!(held.behind(Some(&key), "b"), None);
        assert_eq!(held.behind(Some(&key), "c"), None);
        assert_eq!(held.behind(None, "y"), Some("y"));
        assert_eq!(held.behind(Some(&Text::from_static("l")), "z"), Some("z"));
        assert!(held.due(now).is_empty());
        assert_eq!(held.due(now + LONG), ["c", "b", "a"]);
        assert_eq!(held.behind(Some(&key), "d"), Some("d"));
        assert_eq!(held.all(), ["x"]);
        assert_eq!((held.receives("1"), held.receives("2")), (2, 1));
        held.forget("1");
        assert_eq!(held.receives("1"), 1);
    }

    #[test]
    fn not_more_are_held_than_may_be() {
        let now = Instant::now();
        let mut held = Held::default();
        for number in 0..100 {
            let after = LONG + Duration::from_millis(number as u64);
            assert!(held.hold(&number.to_string(), None, number, now, after).is_empty());
        }
        assert_eq!(held.hold("last", None, 100, now, LONG * 2), [0]);
        assert_eq!(held.all().len(), 100);
    }
}
