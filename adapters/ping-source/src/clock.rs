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

#[cfg(test)]
mod tests {
    use common::config::Parse;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    fn clock(now: i64) -> Clock {
        Clock::new(Schedule::parse("* * * * *").expect("valid"), TimeZone::UTC, at(now))
    }

    /// Takes due times up to a moment.
    fn take_until(clock: &mut Clock, now: i64) -> Vec<i64> {
        let mut taken = Vec::new();
        while let Some(due) = clock.next().filter(|due| *due <= at(now)) {
            clock.take(due);
            taken.push(due.as_second());
        }
        taken
    }

    #[test]
    fn nothing_is_due_before_the_beginning_or_twice() {
        let mut clock = clock(30);
        assert_eq!(clock.next(), Some(at(60)));
        assert_eq!(clock.next(), Some(at(60)), "the same until it is taken");
        assert_eq!(take_until(&mut clock, 185), [60, 120, 180]);
        assert_eq!(clock.next(), Some(at(240)));
    }

    #[test]
    fn a_clock_put_back_repeats_nothing_and_leaves_nothing_out() {
        let mut clock = clock(600);
        assert_eq!(take_until(&mut clock, 725), [660, 720]);
        // Within what has been: nothing before the next one that has not.
        assert!(!clock.is_before(at(650)));
        assert_eq!(clock.next(), Some(at(780)));
        // Behind the beginning: what has never been, then on behind what has.
        assert!(clock.is_before(at(500)));
        clock.set(at(500));
        assert_eq!(take_until(&mut clock, 800), [540, 600, 780]);
        clock.set(at(400));
        assert_eq!(take_until(&mut clock, 900), [420, 480, 840, 900]);
    }

    #[test]
    fn a_clock_put_forward_and_back_again_goes_on_where_it_was() {
        let mut clock = clock(0);
        assert_eq!(take_until(&mut clock, 130), [60, 120]);
        clock.take(at(180));
        clock.set(at(3610));
        assert_eq!(take_until(&mut clock, 3660), [3660]);
        assert!(clock.is_before(at(190)));
        clock.set(at(190));
        assert_eq!(take_until(&mut clock, 310), [240, 300]);
        assert_eq!(take_until(&mut clock, 3720).last_chunk(), Some(&[3600, 3720]));
    }

    #[test]
    fn a_clock_that_never_stands_still_costs_no_memory() {
        let mut clock = clock(100_000);
        for now in (0..100_000).rev() {
            clock.set(at(now));
        }
        assert_eq!(clock.earlier.len(), SPANS);
    }
}
