//! Groups that are not complete.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use routing::aggregator::{Group, Mark, Part};
use tokio::time::Instant;
use waiting::{NoPlace, Place, Room};

use super::{Bounds, Shared};

/// What a part takes beside its data and its names, near enough.
const OVERHEAD: usize = 256;

/// Why a part is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// There is no room for it now.
    #[error("too many events wait for the rest of their groups")]
    Full,
    /// The process ends.
    #[error("the process is about to end")]
    Closed,
    /// Too many parts.
    #[error("the group has {0} parts, more than {1}")]
    TooMany(usize, usize),
    /// Too many bytes.
    #[error("the group has more than {0} bytes")]
    TooLarge(usize),
    /// Not the number of parts that others of the group say.
    #[error("the event says that its group has {0} parts, others say {1}")]
    OtherCount(usize, usize),
    /// Another part has its index.
    #[error("another event of the group, with other data, has the index {0}")]
    SameIndex(i64),
}

impl NotTaken {
    /// Whether it may be taken later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Full | Self::Closed)
    }
}

impl From<NoPlace> for NotTaken {
    fn from(none: NoPlace) -> Self {
        match none {
            NoPlace::Full => Self::Full,
            NoPlace::Closed => Self::Closed,
        }
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Groups {
    open: HashMap<Group, Open>,
    /// Those for which nobody waits, by when the last one left; they give way first.
    idle: BTreeMap<(Instant, u64), Group>,
    serial: u64,
    /// Room for the parts.
    room: Room,
    bounds: Bounds,
}

/// One of them.
#[derive(Debug)]
struct Open {
    shared: Arc<Shared>,
    deadline: Instant,
    count: usize,
    parts: HashMap<Mark, Kept>,
    /// Of an array of its parts.
    bytes: usize,
    /// What its parts take in all.
    size: usize,
    idle: Option<(Instant, u64)>,
}

/// A part in it.
#[derive(Debug)]
struct Kept {
    part: Part,
    place: Place,
    /// Which part it was to come.
    serial: u64,
    waiting: usize,
}

/// A group after a part has come.
pub(super) struct Joined {
    pub(super) shared: Arc<Shared>,
    pub(super) deadline: Instant,
    /// Whether all parts are there.
    pub(super) is_full: bool,
}

impl Groups {
    pub(super) fn new(bounds: &Bounds) -> Self {
        Self {
            open: HashMap::new(),
            idle: BTreeMap::new(),
            serial: 0,
            room: Room::new(usize::MAX, bounds.bytes),
            bounds: *bounds,
        }
    }

    /// Whether this is what those who wait for the group now have in common.
    pub(super) fn is(&self, group: &Group, shared: &Arc<Shared>) -> bool {
        self.open.get(group).is_some_and(|open| Arc::ptr_eq(&open.shared, shared))
    }

    pub(super) fn progress(&self, group: &Group) -> Option<(usize, usize)> {
        self.open.get(group).map(|open| (open.parts.len(), open.count))
    }

    /// Takes a part in. A group that nobody waited for has the whole time again.
    pub(super) fn join(&mut self, part: Part, now: Instant, deadline: Instant) -> Result<Joined, NotTaken> {
        if part.count > self.bounds.parts {
            return Err(NotTaken::TooMany(part.count, self.bounds.parts));
        }
        self.forget(now);
        let group = part.group.clone();
        self.make_way(&part);
        let (is_known, bytes, size) = match self.open.get(&group) {
            Some(open) => (open.knows(&part)?, open.bytes, open.size),
            None => (false, 1, 0),
        };
        let (bytes, size) = (bytes + part.element.len() + 1, size + size_of(&part));
        let place = if is_known {
            None
        } else {
            if bytes > self.bounds.group_bytes || size > self.bounds.bytes {
                return Err(NotTaken::TooLarge(self.bounds.group_bytes));
            }
            while !self.open.contains_key(&group) && self.open.len() >= self.bounds.groups {
                self.give_way(&group)?;
            }
            Some(self.place(&part)?)
        };
        self.serial += 1;
        let serial = self.serial;
        let open = match self.open.entry(group) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Open {
                shared: Shared::new(),
                deadline,
                count: part.count,
                parts: HashMap::new(),
                bytes: 1,
                size: 0,
                idle: None,
            }),
        };
        if let Some(since) = open.idle.take() {
            self.idle.remove(&since);
            open.deadline = deadline;
        }
        match place {
            Some(place) => {
                (open.bytes, open.size) = (bytes, size);
                let kept = Kept { place, serial, waiting: 1, part };
                open.parts.insert(kept.part.mark.clone(), kept);
            }
            None => {
                if let Some(kept) = open.parts.get_mut(&part.mark) {
                    kept.waiting += 1;
                }
            }
        }
        let is_full = open.parts.len() >= open.count;
        Ok(Joined { shared: Arc::clone(&open.shared), deadline: open.deadline, is_full })
    }

    /// Forgets what a part would contradict and nobody waits for: it was said otherwise before.
    fn make_way(&mut self, part: &Part) {
        let Entry::Occupied(mut open) = self.open.entry(part.group.clone()) else { return };
        if let Some(since) = open.get().idle.filter(|_| open.get().count != part.count) {
            self.idle.remove(&since);
            open.remove();
        } else if open.get().parts.get(&part.mark).is_some_and(|kept| kept.waiting == 0) {
            open.get_mut().remove(&part.mark);
        }
    }

    /// Takes a place for a part; groups that nobody waits for give way to it.
    fn place(&mut self, part: &Part) -> Result<Place, NotTaken> {
        loop {
            match self.room.take(size_of(part)) {
                Ok(place) => return Ok(place),
                Err(_) => self.give_way(&part.group)?,
            }
        }
    }

    /// Forgets the group that was left first, but not this one.
    fn give_way(&mut self, but: &Group) -> Result<(), NotTaken> {
        let first = self.idle.iter().find(|(_, group)| *group != but).map(|(since, _)| *since);
        let group = first.and_then(|since| self.idle.remove(&since)).ok_or(NotTaken::Full)?;
        self.open.remove(&group);
        Ok(())
    }

    /// Forgets what was left long ago.
    fn forget(&mut self, now: Instant) {
        while let Some(oldest) = self.idle.first_entry() {
            if oldest.key().0 + self.bounds.keep > now {
                return;
            }
            let group = oldest.remove();
            self.open.remove(&group);
        }
    }

    /// One who waited for a part has left, perhaps as the last of the group.
    pub(super) fn leave(&mut self, group: &Group, mark: &Mark, is_last: bool, now: Instant) {
        let Some(open) = self.open.get_mut(group) else { return };
        if let Some(kept) = open.parts.get_mut(mark) {
            kept.waiting -= 1;
            if kept.waiting == 0 && self.bounds.keep == Duration::ZERO {
                open.remove(mark);
            }
        }
        if !is_last {
            return;
        }
        if open.parts.is_empty() {
            self.open.remove(group);
            return;
        }
        self.serial += 1;
        open.idle = Some((now, self.serial));
        self.idle.insert((now, self.serial), group.clone());
    }

    /// Takes a group out, with its parts in the order in which they came.
    pub(super) fn take(&mut self, group: &Group) -> Option<(Arc<Shared>, Vec<Part>, Vec<Place>)> {
        let open = self.open.remove(group)?;
        if let Some(since) = open.idle {
            self.idle.remove(&since);
        }
        let mut kept: Vec<Kept> = open.parts.into_values().collect();
        kept.sort_unstable_by_key(|kept| kept.serial);
        let (parts, places) = kept.into_iter().map(|kept| (kept.part, kept.place)).unzip();
        Some((open.shared, parts, places))
    }

    /// Takes all of them out.
    pub(super) fn clear(&mut self) -> Vec<Arc<Shared>> {
        self.idle.clear();
        let open = self.open.drain().map(|(_, open)| open.shared);
        open.filter(|shared| shared.waiting.load(std::sync::atomic::Ordering::Relaxed) > 0).collect()
    }
}

impl Open {
    /// Whether the part is here already.
    fn knows(&self, part: &Part) -> Result<bool, NotTaken> {
        if part.count != self.count {
            return Err(NotTaken::OtherCount(part.count, self.count));
        }
        let Some(Kept { part: known, .. }) = self.parts.get(&part.mark) else { return Ok(false) };
        let is_other = known.event != part.event && known.element != part.element;
        match part.mark {
            Mark::Index(index) if is_other => Err(NotTaken::SameIndex(index)),
            _ => Ok(true),
        }
    }

    fn remove(&mut self, mark: &Mark) {
        if let Some(Kept { part, .. }) = self.parts.remove(mark) {
            self.bytes -= part.element.len() + 1;
            self.size -= size_of(&part);
        }
    }
}

/// What a part takes, near enough.
fn size_of(part: &Part) -> usize {
    OVERHEAD + part.element.len() + part.event.0.len() + part.event.1.len()
}

#[cfg(test)]
impl Groups {
    /// How many groups, parts and bytes are held.
    pub(super) fn used(&self) -> (usize, usize, usize) {
        (self.open.len(), self.room.taken(), self.room.taken_bytes())
    }

    /// How many groups nobody waits for.
    pub(super) fn idle(&self) -> usize {
        self.idle.len()
    }
}
