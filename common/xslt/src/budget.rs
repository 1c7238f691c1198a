//! What a run may take: bytes that its trees, values and calls hold, counted on the thread that runs it, and time.
//!
//! Everything that can grow counts itself for as long as it lives by a [`Charge`]; a [`Clock`] looks at the sum, and at the
//! time after so much work.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use crate::Failure;

/// How far a run may go.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long it may take.
    pub time: Duration,
    /// Bytes that it may hold, what it makes included.
    pub memory: usize,
    /// How deep templates may call each other; 3000 in libxslt.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(5), memory: 64 << 20, depth: 3000 }
    }
}

impl Limits {
    /// How far a stylesheet of whoever runs this may go when it is compiled.
    pub(crate) const TRUSTED: Self =
        Self { time: Duration::from_secs(60), memory: 512 << 20, depth: usize::MAX };
}

/// Work between two looks at the time; a step is some twenty nanoseconds of it.
const STRIDE: usize = 1 << 14;
/// The work of one step.
const STEP: usize = 16;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// Begins to count.
pub fn begin() {
    HELD.with(|held| held.set(0));
}

/// Bytes that are held now.
pub fn held() -> usize {
    HELD.with(Cell::get)
}

/// Bytes that something counts for as long as it lives.
#[derive(Debug, Default)]
pub struct Charge(usize);

impl Charge {
    pub fn new(bytes: usize) -> Self {
        let mut charge = Self::default();
        charge.grow(bytes);
        charge
    }

    pub fn grow(&mut self, bytes: usize) {
        self.0 = self.0.saturating_add(bytes);
        HELD.with(|held| held.set(held.get().saturating_add(bytes)));
    }

    /// What it holds outlives the run, and maybe the thread.
    pub fn settle(&mut self) {
        drop(std::mem::take(self));
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        // The thread may be ending.
        let _ = HELD.try_with(|held| held.set(held.get().saturating_sub(self.0)));
    }
}

/// Watches what is held and how long it takes.
#[derive(Debug)]
pub struct Clock {
    /// None where that is too far away to be told.
    end: Option<Instant>,
    memory: usize,
    work: usize,
}

impl Clock {
    pub fn new(limits: &Limits) -> Self {
        Self { end: Instant::now().checked_add(limits.time), memory: limits.memory, work: 0 }
    }

    /// Counts a step.
    #[inline]
    pub fn step(&mut self) -> Result<(), Failure> {
        self.work(STEP)
    }

    /// Counts work: a node that is looked at, or sixteen letters, are 1.
    #[inline]
    pub fn work(&mut self, amount: usize) -> Result<(), Failure> {
        self.room(0)?;
        self.work = self.work.saturating_add(amount);
        if self.work >= STRIDE {
            self.work = 0;
            if self.end.is_some_and(|end| Instant::now() > end) {
                return Err(Failure::limit("it takes too long"));
            }
        }
        Ok(())
    }

    /// Whether so many bytes more can be held.
    #[inline]
    pub fn room(&self, bytes: usize) -> Result<(), Failure> {
        let all = held().saturating_add(bytes);
        if all > self.memory { Err(Failure::limit("it makes too much")) } else { Ok(()) }
    }

    /// Bytes that can still be held.
    pub fn rest(&self) -> usize {
        self.memory.saturating_sub(held())
    }
}
