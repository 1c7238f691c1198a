//! What one evaluation may cost: steps, time, memory and stack, counted on the thread that evaluates.
//!
//! jaq has no bounds of its own and is pulled like an iterator, but it comes by here on its way: it looks up every term that
//! it runs, and it makes every value by our type. What is used up ends the evaluation by unwinding, as an error would not
//! do: a query can catch errors.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

/// Steps between two looks at the clock.
const STRIDE: u64 = 4096;
/// Strides between two looks at the memory of the process.
const GLIMPSE: u64 = 16;
/// What an evaluation may take beyond twice its values before it is ended: its calls, and what others do meanwhile that are no
/// evaluations.
const BESIDE: usize = 32 << 20;
/// Bytes that are copied in the time of one step, roughly.
const STEP_BYTES: usize = 256;
/// Lists, strings and objects within one another; a value that is deeper could not be dropped or compared on any stack.
pub(crate) const MAX_DEPTH: u32 = 512;

/// What an evaluation on a thread of its own may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Time since it began.
    pub time: Duration,
    /// Bytes of values that are alive at once.
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { time: Duration::from_secs(1), bytes: 64 << 20 }
    }
}

/// The bounds of one evaluation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Steps; jaq makes some millions in a second.
    pub(crate) steps: u64,
    /// Looked at every few thousand steps.
    pub(crate) bounds: Bounds,
    /// Bytes of stack below the place where the evaluation began.
    pub(crate) stack: usize,
}

/// What was used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    /// More steps than allowed.
    #[error("it takes too many steps")]
    Steps,
    /// More time than allowed.
    #[error("it takes too long")]
    Time,
    /// More memory than allowed.
    #[error("it needs too much memory")]
    Memory,
    /// More memory of the process than all evaluations that ran meanwhile were allowed together: this one need not be the one
    /// that took it, so another attempt may succeed.
    #[error("it and others together need too much memory")]
    Together,
    /// Values or calls too deep within one another.
    #[error("values or calls are nested too deep")]
    Depth,
}

/// What all evaluations that run now may take of the memory of the process.
static ALLOWED: AtomicUsize = AtomicUsize::new(0);

/// The part of one evaluation in [`ALLOWED`], while it runs.
struct Share(usize);

impl Share {
    fn new(bytes: usize) -> Self {
        let share = bytes.saturating_mul(2).saturating_add(BESIDE);
        ALLOWED.fetch_add(share, Ordering::Relaxed);
        Self(share)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        ALLOWED.fetch_sub(self.0, Ordering::Relaxed);
    }
}

struct Budget {
    /// Until the next look at the clock.
    stride: Cell<u64>,
    /// After that.
    steps: Cell<u64>,
    deadline: Cell<Option<Instant>>,
    used: Cell<usize>,
    bytes: Cell<usize>,
    /// Until the next look at the memory of the process.
    glimpse: Cell<u64>,
    /// What this evaluation may take of the memory of the process, its calls included.
    share: Cell<usize>,
    /// Resident memory of the process at the first look.
    resident: Cell<usize>,
    /// The most that all evaluations were allowed together since then: what one sees may be another's.
    allowed: Cell<usize>,
    /// The lowest address that the stack may reach.
    floor: Cell<usize>,
}

thread_local! {
    static BUDGET: Budget = const {
        Budget {
            stride: Cell::new(u64::MAX),
            steps: Cell::new(0),
            deadline: Cell::new(None),
            used: Cell::new(0),
            bytes: Cell::new(usize::MAX),
            glimpse: Cell::new(0),
            share: Cell::new(0),
            resident: Cell::new(usize::MAX),
            allowed: Cell::new(0),
            floor: Cell::new(0),
        }
    };
}

/// Why an evaluation gave nothing.
pub(crate) enum Ended {
    Exceeded(Exceeded),
    /// A fault of the library: it panicked.
    Panicked,
}

/// Evaluates within the bounds. No value may outlive the call.
pub(crate) fn within<T>(limits: &Limits, evaluate: impl FnOnce() -> T) -> Result<T, Ended> {
    let share = Share::new(limits.bounds.bytes);
    BUDGET.with(|budget| {
        let stride = limits.steps.min(STRIDE);
        budget.stride.set(stride);
        budget.steps.set(limits.steps - stride);
        budget.deadline.set(Instant::now().checked_add(limits.bounds.time));
        budget.used.set(0);
        budget.bytes.set(limits.bounds.bytes);
        budget.glimpse.set(0);
        budget.share.set(share.0);
        budget.resident.set(usize::MAX);
        budget.allowed.set(0);
        budget.floor.set(stack_address().saturating_sub(limits.stack));
    });
    let result = catch_unwind(AssertUnwindSafe(evaluate));
    drop(share);
    BUDGET.with(|budget| {
        budget.stride.set(u64::MAX);
        budget.bytes.set(usize::MAX);
        budget.floor.set(0);
    });
    result.map_err(|payload| match payload.downcast_ref::<Exceeded>() {
        Some(exceeded) => Ended::Exceeded(*exceeded),
        None => Ended::Panicked,
    })
}

/// Counts a step.
#[inline]
pub(crate) fn step() {
    steps(1);
}

/// Counts steps: what a loop of ours, or of a library, is about to do.
#[inline]
pub(crate) fn steps(count: u64) {
    BUDGET.with(|budget| {
        match budget.stride.get().checked_sub(count) {
            Some(left) => budget.stride.set(left),
            None => budget.next_stride(count),
        }
        if stack_address() < budget.floor.get() {
            end(Exceeded::Depth);
        }
    });
}

/// Ends the evaluation where it stands.
pub(crate) fn end(exceeded: Exceeded) -> ! {
    resume_unwind(Box::new(exceeded))
}

/// Ends the evaluation when a value is too deep.
pub(crate) fn check_depth(depth: u32) -> u32 {
    if depth > MAX_DEPTH { end(Exceeded::Depth) } else { depth }
}

impl Budget {
    #[cold]
    fn next_stride(&self, count: u64) {
        let missing = count - self.stride.get();
        let Some(left) = self.steps.get().checked_sub(missing) else { end(Exceeded::Steps) };
        if self.deadline.get().is_some_and(|deadline| Instant::now() >= deadline) {
            end(Exceeded::Time);
        }
        self.look_at_memory();
        let stride = left.min(STRIDE);
        self.stride.set(stride);
        self.steps.set(left - stride);
    }

    /// Calls that are passed functions keep those of all calls before them, where they cannot be counted: `def f(g): f(g)`.
    fn look_at_memory(&self) {
        let Some(left) = self.glimpse.get().checked_sub(1) else {
            self.glimpse.set(GLIMPSE);
            self.allowed.set(self.allowed.get().max(ALLOWED.load(Ordering::Relaxed)));
            let Some(resident) = resident() else { return };
            match self.resident.get() {
                usize::MAX => self.resident.set(resident),
                before if resident.saturating_sub(before) > self.allowed.get() => {
                    let alone = self.allowed.get() == self.share.get();
                    end(if alone { Exceeded::Memory } else { Exceeded::Together })
                }
                _ => {}
            }
            return;
        };
        self.glimpse.set(left);
    }
}

/// Resident memory of the process, in bytes.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<usize>().ok()?.checked_mul(1024)
}

/// Roughly where the stack ends now.
#[inline]
fn stack_address() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&here)).addr()
}

/// Memory that a value counts for as long as it lives.
#[derive(Debug, Default)]
pub(crate) struct Charge(usize);

impl Charge {
    /// Counts so many bytes, which somebody is about to fill.
    pub(crate) fn new(bytes: usize) -> Self {
        let mut charge = Self::default();
        charge.grow(bytes);
        charge
    }

    /// Counts more.
    pub(crate) fn grow(&mut self, bytes: usize) {
        if bytes >= STEP_BYTES {
            steps((bytes / STEP_BYTES) as u64);
        }
        BUDGET.with(|budget| {
            let used = budget.used.get().saturating_add(bytes);
            if used > budget.bytes.get() {
                end(Exceeded::Memory);
            }
            budget.used.set(used);
        });
        self.0 += bytes;
    }

    /// The same once more, for a copy.
    pub(crate) fn again(&self) -> Self {
        Self::new(self.0)
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        // The thread may be ending.
        let _ = BUDGET.try_with(|budget| budget.used.set(budget.used.get().saturating_sub(self.0)));
    }
}
