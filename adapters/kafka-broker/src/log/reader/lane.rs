//! A partition of a trigger: what was given of it, and how far that is done.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering::SeqCst},
    },
};

use broker::log::Incoming;
use common::{Error, Text, window::Window};
use kafka::consumer::Partition;

use super::{
    End,
    begin::{Found, Records},
    reached::Reached,
};
use crate::log::ends::Ends;

/// An assigned partition.
pub struct Lane {
    pub partition: Partition<Records>,
    /// Offsets that were given.
    pub window: Window<i64>,
    /// The offset that is to come next; negative while nothing is known.
    next: AtomicI64,
    reached: Arc<Reached>,
    /// The offset behind what is done; negative while nothing is known.
    done: AtomicI64,
    end: Option<End>,
    /// Nothing behind here is wanted.
    is_ended: AtomicBool,
    /// It is somebody else's: what is done counts for nothing.
    is_gone: AtomicBool,
    /// Whether the topic has this partition alone.
    is_alone: bool,
}

/// A record that was given.
#[derive(Clone)]
pub struct Position {
    pub lane: Arc<Lane>,
    offset: i64,
    pub number: u64,
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl Position {
    /// The offset, with the partition where there are several.
    pub fn text(&self) -> Text {
        let Self { lane, offset, .. } = self;
        if lane.is_alone {
            Text::from(offset.to_string())
        } else {
            Text::from(format!("{}/{offset}", lane.partition.number))
        }
    }
}

impl Lane {
    pub fn new(
        partition: Partition<Records>,
        end: Option<End>,
        is_alone: bool,
        reached: &Arc<Reached>,
    ) -> Arc<Self> {
        Arc::new(Self {
            next: AtomicI64::new(reached.next(partition.number).unwrap_or(-1)),
            reached: Arc::clone(reached),
            partition,
            window: Window::new(),
            done: AtomicI64::new(-1),
            end,
            is_ended: AtomicBool::new(false),
            is_gone: AtomicBool::new(false),
            is_alone,
        })
    }

    pub fn is_ended(&self) -> bool {
        self.is_ended.load(SeqCst)
    }

    pub fn is_gone(&self) -> bool {
        self.is_gone.load(SeqCst)
    }

    /// The offset behind what is done.
    pub fn done(&self) -> Option<i64> {
        Some(self.done.load(SeqCst)).filter(|offset| *offset >= 0)
    }

    /// What is before this offset is done.
    pub fn is_done_to(&self, offset: i64) {
        self.done.store(offset, SeqCst);
    }

    /// It is somebody else's from now on.
    pub fn go(&self) {
        self.is_gone.store(true, SeqCst);
    }

    /// Takes what is there, at most so many records, of which so many may be in hand. False when it is no more of the topic that
    /// it was of.
    pub fn take(
        self: &Arc<Self>,
        (most, in_hand): (usize, usize),
        ends: &Ends,
        entries: &mut Vec<Incoming<Position>>,
    ) -> Result<bool, Error> {
        let most = most.min(in_hand.saturating_sub(self.window.size().0));
        if most == 0 || self.is_ended() || self.is_gone() {
            return Ok(true);
        }
        for found in self.partition.take(most)? {
            if self.is_ended() {
                break;
            }
            let next = self.next.swap(found.offset + 1, SeqCst);
            if next >= 0
                && next != found.offset
                && self.reached.leaps(self.partition.number, next, found.offset, ends)
            {
                self.go();
                return Ok(false);
            }
            if self.is_beyond(&found) {
                self.is_ended.store(true, SeqCst);
                break;
            }
            if self.end == Some(End::Offset(found.offset + 1)) {
                self.is_ended.store(true, SeqCst);
            }
            if self.done().is_none() {
                self.is_done_to(found.offset);
            }
            let Found { offset, value, hops, trace, .. } = found;
            let number = self.window.push(offset, 0);
            let position = Position { lane: Arc::clone(self), offset, number };
            entries.push(Incoming { position, value, hops, trace });
        }
        let next = self.next.load(SeqCst);
        self.reached.begins(self.partition.number, (next >= 0).then_some(next));
        Ok(true)
    }

    fn is_beyond(&self, found: &Found) -> bool {
        match self.end {
            None => false,
            Some(End::Offset(end)) => found.offset >= end,
            Some(End::Time(end)) => found.time.is_some_and(|time| time > end),
        }
    }
}
