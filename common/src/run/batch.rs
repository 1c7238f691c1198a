//! Batch targets: events of many callers leave together, and each caller gets its own answer.

use std::{
    collections::VecDeque,
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use axum::routing::MethodRouter;
use tokio::sync::oneshot;

use super::target;
use crate::{
    Event,
    adapter::{Adapter, BatchLimits, BatchTarget, Context, Reply, Target},
    config::ConfigError,
    error::Error,
    info::Info,
    worker,
};

/// The `main` of a batch target.
#[must_use]
pub fn batch_target<B: BatchTarget>() -> ExitCode {
    target::run::<Batched<B>>("batch-target", false)
}

/// A batch target as a target.
struct Batched<B: BatchTarget> {
    inner: Arc<B>,
    limits: OnceLock<BatchLimits>,
    queue: Arc<Queue<B>>,
}

/// What waits for a call, and how many calls are out.
struct Queue<B: BatchTarget>(Mutex<State<B::Entry>>);

struct State<E> {
    waiting: VecDeque<Waiting<E>>,
    calls: usize,
}

struct Waiting<E> {
    entry: E,
    size: usize,
    answer: oneshot::Sender<Result<Reply, Error>>,
}

impl<B: BatchTarget> Adapter for Batched<B> {
    const INFO: Info = B::INFO;
    type Config = B::Config;

    fn new(config: Self::Config) -> Result<Self, ConfigError> {
        let queue = Queue(Mutex::new(State { waiting: VecDeque::new(), calls: 0 }));
        Ok(Self { inner: Arc::new(B::new(config)?), limits: OnceLock::new(), queue: Arc::new(queue) })
    }

    async fn connect(&self) -> Result<(), Error> {
        self.inner.connect().await
    }

    fn is_ready(&self) -> bool {
        self.inner.is_ready()
    }

    fn pages(self: &Arc<Self>) -> Vec<(&'static str, MethodRouter)> {
        self.inner.pages()
    }
}

impl<B: BatchTarget> Target for Batched<B> {
    async fn handle(&self, event: Event, context: &Context) -> Result<Reply, Error> {
        let entry = self.inner.convert(event, context)?;
        let size = self.inner.size(&entry);
        let limits = *self.limits.get_or_init(|| self.inner.limits());
        let (answer, answered) = oneshot::channel();
        if let Some(call) = self.queue.join(Waiting { entry, size, answer }, limits) {
            worker::spawn(call.run(Arc::clone(&self.inner), limits));
        }
        // A call that panicked answers nobody: the caller has its event still.
        answered.await.unwrap_or_else(|_| Err(Error::retryable("the call ended without an answer")))
    }
}

impl<B: BatchTarget> Queue<B> {
    fn state(&self) -> MutexGuard<'_, State<B::Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an entry into the queue; gives a call to be made when one is free.
    fn join(self: &Arc<Self>, waiting: Waiting<B::Entry>, limits: BatchLimits) -> Option<Call<B>> {
        let mut state = self.state();
        state.waiting.push_back(waiting);
        if state.calls >= limits.calls.max(1) {
            return None;
        }
        state.calls += 1;
        Some(Call { queue: Arc::clone(self), out: true })
    }
}

/// One of the calls that may be out.
struct Call<B: BatchTarget> {
    queue: Arc<Queue<B>>,
    out: bool,
}

impl<B: BatchTarget> Call<B> {
    /// Sends what waits, batch after batch, until nothing does.
    async fn run(mut self, inner: Arc<B>, limits: BatchLimits) {
        loop {
            let Some((entries, answers)) = self.next(limits) else { return };
            let count = entries.len();
            let results = inner.handle(entries).await;
            if results.len() != count {
                tracing::error!(count, results = results.len(), "a call did not answer for every entry");
            }
            for (answer, result) in answers.into_iter().zip(results) {
                // A caller that has gone away does not want to know.
                let _ = answer.send(result);
            }
        }
    }

    /// Takes a batch, or gives the call back in the same moment in which nothing waits.
    fn next(&mut self, limits: BatchLimits) -> Option<Batch<B::Entry>> {
        let mut state = self.queue.state();
        let (mut entries, mut answers, mut bytes) = (Vec::new(), Vec::new(), 0);
        while entries.len() < limits.entries.max(1) {
            let Some(first) = state.waiting.front() else { break };
            // What nobody waits for any more will be sent again by whoever has it.
            let gone = first.answer.is_closed();
            if !gone && !entries.is_empty() && bytes + first.size > limits.bytes {
                break;
            }
            let Some(first) = state.waiting.pop_front() else { break };
            if !gone {
                bytes += first.size;
                entries.push(first.entry);
                answers.push(first.answer);
            }
        }
        if entries.is_empty() {
            state.calls -= 1;
            self.out = false;
            return None;
        }
        Some((entries, answers))
    }
}

type Batch<E> = (Vec<E>, Vec<oneshot::Sender<Result<Reply, Error>>>);

/// A call that panicked: what waits must not wait for ever.
impl<B: BatchTarget> Drop for Call<B> {
    fn drop(&mut self) {
        if self.out {
            let mut state = self.queue.state();
            state.calls -= 1;
            if state.calls == 0 {
                state.waiting.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests;
