//! What an evaluation may cost: rounds of loops, memory that they keep, and time.
//!
//! The crate `cel` has no limits of its own, so that the compiled expression itself is made to count: every round of a loop
//! begins with a call that takes one from the budget, and what a loop keeps is weighed.

use std::{
    any::Any,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use cel::{
    Env, ExecutionError,
    common::{
        types::{
            CelBool, CelBytes, CelList, CelMap, CelMapKey, CelOptional, CelString, DYN_TYPE, STRING_TYPE,
            Type,
        },
        value::{CowVal, StaticVal, Val},
    },
};

/// Rounds of all loops of one evaluation.
pub const MAX_ROUNDS: usize = 100_000;
/// Bytes that all loops of one evaluation keep.
pub const MAX_KEPT: usize = 32 << 20;
/// Time that an evaluation may take while it loops.
pub const MAX_TIME: Duration = Duration::from_secs(1);

/// The variable that holds the budget; nobody can write this name.
pub const BUDGET: &str = "@budget";
/// Takes a round from the budget.
pub const ROUND: &str = "@round";
/// Weighs a value that a loop keeps.
pub const KEPT: &str = "@kept";

static BUDGET_TYPE: Type = Type::new_unspecified_type("budget");
static PATTERN_TYPE: Type = Type::new_unspecified_type("pattern");

/// What is left of the limits.
#[derive(Debug)]
pub struct Budget {
    rounds: AtomicUsize,
    kept: AtomicUsize,
    until: Instant,
    spent: AtomicBool,
    late: AtomicBool,
}

impl Budget {
    pub fn new() -> Self {
        Self {
            rounds: AtomicUsize::new(MAX_ROUNDS),
            kept: AtomicUsize::new(MAX_KEPT),
            until: Instant::now() + MAX_TIME,
            spent: AtomicBool::new(false),
            late: AtomicBool::new(false),
        }
    }

    /// Whether the event asked for more than there was.
    pub fn is_spent(&self) -> bool {
        self.spent.load(Ordering::Relaxed)
    }

    /// Whether the time ran out.
    pub fn is_late(&self) -> bool {
        self.late.load(Ordering::Relaxed)
    }

    fn take(&self, from: &AtomicUsize, amount: usize) -> Result<(), ExecutionError> {
        let left = from.load(Ordering::Relaxed);
        if Instant::now() > self.until {
            self.late.store(true, Ordering::Relaxed);
        }
        if left < amount {
            self.spent.store(true, Ordering::Relaxed);
        }
        if self.is_spent() || self.is_late() {
            return Err(ExecutionError::function_error(BUDGET, "spent"));
        }
        from.store(left - amount, Ordering::Relaxed);
        Ok(())
    }
}

impl Val for Budget {
    fn get_type(&self) -> &Type {
        &BUDGET_TYPE
    }

    fn cel_type() -> &'static Type {
        &BUDGET_TYPE
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        // Never called: it is an argument and nothing else. A copy has nothing to give.
        Box::new(Self { rounds: AtomicUsize::new(0), ..Self::new() })
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Budget {}

/// A compiled regular expression; the crate `regex-lite` takes time in proportion to pattern and text, and as in RE2 classes
/// such as `\d` are those of ASCII.
#[derive(Debug, Clone)]
pub struct Pattern(pub regex_lite::Regex);

impl Val for Pattern {
    fn get_type(&self) -> &Type {
        &PATTERN_TYPE
    }

    fn cel_type() -> &'static Type {
        &PATTERN_TYPE
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Pattern {}

/// The standard functions, `matches` with compiled patterns, and those that count.
pub fn environment() -> Env {
    let mut env = Env::stdlib();
    // The names are new, so none of them is refused.
    let _ = env.add_overload(ROUND, ROUND, vec![BUDGET_TYPE.to_owned()], round);
    let _ = env.add_overload(KEPT, KEPT, vec![BUDGET_TYPE.to_owned(), DYN_TYPE], kept);
    let pattern = || PATTERN_TYPE.to_owned();
    let _ = env.add_overload("matches", "matches_pattern", vec![STRING_TYPE, pattern()], matches);
    let _ = env.add_member_overload("matches", "pattern_matches", STRING_TYPE, vec![pattern()], matches);
    env
}

fn round<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    if let Some(budget) = budget(&arguments) {
        budget.take(&budget.rounds, 1)?;
    }
    Ok(CowVal::owned(CelBool::from(true)))
}

fn kept<'b, 'v>(mut arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    if let (Some(budget), Some(value)) = (budget(&arguments), arguments.get(1)) {
        budget.take(&budget.kept, weight(value.as_ref()))?;
    }
    arguments.pop().ok_or(ExecutionError::MissingArgumentOrTarget)
}

fn matches<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [text, pattern] = arguments.as_slice() else { return Err(ExecutionError::MissingArgumentOrTarget) };
    match (text.downcast_ref::<CelString>(), pattern.downcast_ref::<Pattern>()) {
        (Some(text), Some(Pattern(pattern))) => {
            Ok(CowVal::owned(CelBool::from(pattern.is_match(text.inner()))))
        }
        _ => Err(ExecutionError::MissingArgumentOrTarget),
    }
}

fn budget<'x>(arguments: &'x [CowVal<'_, '_>]) -> Option<&'x Budget> {
    arguments.first()?.downcast_ref::<Budget>()
}

/// Bytes that a value takes, near enough. What is in lists and maps is no deeper than JSON may be and an expression is.
fn weight(value: &dyn Val) -> usize {
    const EACH: usize = 32;
    if let Some(text) = value.downcast_ref::<CelString>() {
        // Borrowed from the event: it costs nothing.
        return EACH + if text.as_borrowed().is_some() { 0 } else { text.inner().len() };
    }
    if let Some(bytes) = value.downcast_ref::<CelBytes>() {
        return EACH + bytes.inner().len();
    }
    if let Some(list) = value.downcast_ref::<CelList>() {
        return EACH + list.inner().iter().map(|element| weight(element.as_ref())).sum::<usize>();
    }
    if let Some(map) = value.downcast_ref::<CelMap>() {
        let entries = map.inner().iter().map(|(key, value)| {
            let key = if let CelMapKey::String(key) = key { key.inner().len() } else { 0 };
            EACH + key + weight(value.as_ref())
        });
        return EACH + entries.sum::<usize>();
    }
    if let Some(optional) = value.downcast_ref::<CelOptional>() {
        let inner = optional.option();
        return EACH + inner.map_or(0, weight);
    }
    EACH
}
