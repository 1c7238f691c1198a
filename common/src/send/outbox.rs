//! Where a source puts its events: accepted by the sink when `send` returns.

use std::sync::Arc;

use super::{Failure, Sink};
use crate::{Event, Trace, stop::Stop};

/// The way out of a source. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Outbox {
    sink: Arc<Sink>,
    stop: Stop,
}

impl Outbox {
    pub(crate) fn new(sink: Arc<Sink>, stop: Stop) -> Self {
        Self { sink, stop }
    }

    /// Delivers an event, however long it takes. `Ok` is the acknowledgement: the sink, or the dead-letter sink, has it.
    ///
    /// # Errors
    /// When the process was asked to stop first; the event is then to be left with the outside system.
    pub async fn send(&self, mut event: Event) -> Result<(), Failure> {
        self.sink.deliver(&mut event, &Trace::default(), &self.stop).await
    }
}
