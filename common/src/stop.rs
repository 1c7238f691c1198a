//! How a process ends: asked, closed, out of time.

use std::time::{Duration, Instant};

use tokio::sync::watch;

/// How long what is in flight may take once nothing new comes in.
pub(crate) const DRAIN: Duration = Duration::from_secs(20);

/// How much of it goes to work that needs more requests to be done.
pub(crate) const SETTLE: Duration = Duration::from_secs(15);

#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
enum Phase {
    Running,
    /// SIGTERM: not ready, requests are still taken.
    Requested,
    /// No listener any more; what is in flight has until then.
    Draining(Instant),
    /// No request in flight any more; the rest has until then.
    Closed(Instant),
}

/// The moments of the end, as a task sees them.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<Phase>);

/// The one who says when.
#[derive(Debug)]
pub(crate) struct Stopper(watch::Sender<Phase>);

impl Stop {
    /// A pair of the one who says and those who hear.
    pub(crate) fn channel() -> (Stopper, Self) {
        let (sender, receiver) = watch::channel(Phase::Running);
        (Stopper(sender), Self(receiver))
    }

    /// Waits until the process is asked to stop; requests are still taken for a while.
    pub async fn requested(&self) {
        self.reached(|phase| *phase != Phase::Running).await;
    }

    /// Waits until no new connection is taken, so that open ones should end after their present request.
    pub(crate) async fn draining(&self) {
        self.reached(|phase| matches!(phase, Phase::Draining(_) | Phase::Closed(_))).await;
    }

    /// Waits until nothing comes in any more: no listener, no request in flight.
    pub async fn closed(&self) {
        self.reached(|phase| matches!(phase, Phase::Closed(_))).await;
    }

    /// Whether the process was asked to stop.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow() != Phase::Running
    }

    /// When the work must be done; `None` while connections are taken.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match *self.0.borrow() {
            Phase::Draining(deadline) | Phase::Closed(deadline) => Some(deadline),
            Phase::Running | Phase::Requested => None,
        }
    }

    async fn reached(&self, test: impl FnMut(&Phase) -> bool) {
        // A gone sender means that the process is past its end.
        let _ = self.0.clone().wait_for(test).await;
    }
}

impl Stopper {
    pub(crate) fn request(&self) {
        self.0.send_replace(Phase::Requested);
    }

    pub(crate) fn drain(&self, deadline: Instant) {
        self.0.send_replace(Phase::Draining(deadline));
    }

    pub(crate) fn close(&self, deadline: Instant) {
        self.0.send_replace(Phase::Closed(deadline));
    }
}
