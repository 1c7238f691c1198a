//! Which due time comes next, whatever the system's clock does meanwhile.

use jiff::{Timestamp, tz::TimeZone};

use crate::schedule::Schedule;

/// Spans of time that have been gone through; older ones are forgotten.
const SPANS: usize = 16;

/// Goes through the due times of a schedule, none of them twice.
#[derive(Debug)]
pub struct Clock {
    schedule: Schedule,
    zone: TimeZone,
    /// Where this stretch of time began, and up to where its due times have been given out.
    begun: Timestamp,
    reached: Timestamp,
    /// Stretches that were gone through before the clock was set.
    earlier: Vec<(Timestamp, Timestamp)>,
}

impl Clock {
    /// Begins behind this moment.
    pub fn new(schedule: Schedule, zone: TimeZone, now: Timestamp) -> Self {
        Self { schedule, zone, begun: now, reached: now, earlier: Vec::new() }
    }

    /// The next due time; the same until it is taken.
    pub fn next(&self) -> Option<Timestamp> {
        let mut from = self.reached;
        loop {
            let due = self.schedule.next(&self.zone, from)?;
            match self.earlier.iter().find(|(begun, reached)| *begun < due && due <= *reached) {
                Some((_, reached)) => from = *reached,
                None => return Some(due),
            }
        }
    }

    /// Takes a due time as given out, and all before it.
    pub fn take(&mut self, due: Timestamp) {
        self.reached = due;
    }

    /// Goes on from this moment, because the clock was set: what lies between is not made up, and what was given out
    /// is not given out again.
    pub fn set(&mut self, now: Timestamp) {
        if self.earlier.len() == SPANS {
            self.earlier.remove(0);
        }
        self.earlier.push((self.begun, self.reached));
        (self.begun, self.reached) = (now, now);
    }

    /// Whether a moment lies before all that this stretch has seen, so that the clock must have been set back.
    pub fn is_before(&self, now: Timestamp) -> bool {
        now < self.begun
    }
}
