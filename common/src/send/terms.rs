//! The terms of a delivery that has no deadline.

use crate::stop::Stop;

/// How long a delivery without a deadline goes on.
pub(crate) struct Terms<'a> {
    /// Ends it.
    pub(crate) stop: &'a Stop,
    /// Whether an event that the sink refuses for good is held, or given back at once.
    pub(crate) hold_refused: bool,
    /// Whether the event is still this process's to deliver; asked before every attempt but the first.
    pub(crate) valid: &'a (dyn Fn() -> bool + Sync),
    /// Where the event came from, for a dead letter.
    pub(crate) origin: Option<&'a str>,
}

impl<'a> Terms<'a> {
    /// Until the process is asked to stop.
    pub(crate) fn new(stop: &'a Stop) -> Self {
        Self { stop, hold_refused: true, valid: &|| true, origin: None }
    }
}
