//! The HTTP server: one listener, connections handed to the least loaded runtime, limits on everything.

mod body;
mod connection;
mod inspect;
mod listener;
mod routes;
mod tls;

pub(crate) use body::{BodyRefusal, Budget, collect};
pub(crate) use listener::{Listening, Serving, listen};
pub(crate) use routes::{Events, Routes, no_events};
pub(crate) use tls::Certificates;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Notify;

/// Counts what is in work, so that the end can wait for it.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    count: AtomicUsize,
    idle: Notify,
}

/// One thing in work.
#[derive(Debug)]
pub(crate) struct Working(Arc<InFlight>);

impl InFlight {
    /// Begins one; it ends when the value is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> Working {
        self.count.fetch_add(1, Ordering::AcqRel);
        Working(Arc::clone(self))
    }

    /// Waits until nothing is in work.
    pub(crate) async fn idle(&self) {
        loop {
            let notified = self.idle.notified();
            if self.count.load(Ordering::Acquire) == 0 {
                return;
            }
            notified.await;
        }
    }

    /// How many are in work.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}
