//! Acknowledgements on their way to the log, many with one call.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::worker;
use tokio::sync::Notify;

use super::{Durable, FIRST_PAUSE, Log};
use crate::engine::{Engine, Trigger};

/// How long an acknowledgement waits for others. One that is not sent is an event that comes twice after a crash.
const LINGER: Duration = Duration::from_millis(20);

/// So many do not wait.
const MANY: usize = 128;

/// Those of one trigger.
#[derive(Debug)]
pub(super) struct Acks<P> {
    state: Mutex<State<P>>,
    /// There are many, or no more.
    news: Notify,
}

#[derive(Debug)]
struct State<P> {
    waiting: Vec<P>,
    is_sending: bool,
}

impl<P> Default for Acks<P> {
    fn default() -> Self {
        let state = State { waiting: Vec::new(), is_sending: false };
        Self { state: Mutex::new(state), news: Notify::new() }
    }
}

impl<P> Acks<P> {
    fn state(&self) -> MutexGuard<'_, State<P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one; true when the caller starts to send.
    fn push(&self, position: P) -> bool {
        let mut state = self.state();
        state.waiting.push(position);
        if state.waiting.len() == MANY {
            self.news.notify_one();
        }
        !std::mem::replace(&mut state.is_sending, true)
    }

    /// Takes what waits; with nothing the sending is over.
    fn next(&self) -> Vec<P> {
        let mut state = self.state();
        if state.waiting.is_empty() {
            state.is_sending = false;
            self.news.notify_waiters();
        }
        std::mem::take(&mut state.waiting)
    }
}

/// Acknowledges an entry, soon.
pub(super) fn add<L: Log>(
    engine: &Arc<Engine<Durable<L>>>,
    trigger: &Arc<Trigger<Durable<L>>>,
    position: L::Position,
) {
    if trigger.lane.acks.push(position) {
        worker::spawn(send(engine.clone(), trigger.clone()));
    }
}

/// Waits until all are sent.
pub(super) async fn settled<L: Log>(trigger: &Trigger<Durable<L>>) {
    let acks = &trigger.lane.acks;
    loop {
        let news = acks.news.notified();
        if !acks.state().is_sending {
            return;
        }
        // The one who sends may take the word that was meant for all.
        tokio::select! {
            () = news => {}
            () = worker::sleep(LINGER) => {}
        }
    }
}

/// Sends until there are no more.
async fn send<L: Log>(engine: Arc<Engine<Durable<L>>>, trigger: Arc<Trigger<Durable<L>>>) {
    let acks = &trigger.lane.acks;
    loop {
        tokio::select! {
            () = acks.news.notified() => {}
            () = worker::sleep(LINGER) => {}
        }
        let positions = acks.next();
        if positions.is_empty() {
            return;
        }
        let mut pause = FIRST_PAUSE;
        while let Err(error) = engine.backend.log.acknowledge(&trigger.lane.reader, &positions).await {
            let entries = positions.len();
            tracing::warn!(
                trigger = trigger.name,
                entries,
                reason = error.chain(),
                "the log cannot be told what was delivered: trying again"
            );
            super::pause(&mut pause).await;
        }
    }
}
