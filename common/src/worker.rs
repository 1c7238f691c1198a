//! The runtimes of the process: single-threaded, one for each granted core, and work that stays where it began.
//!
//! Work stealing costs 1.4 times the CPU per event; a connection, its requests and their sends stay on one thread.

use std::{
    cell::Cell,
    future::Future,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{runtime::Runtime, sync::mpsc};

static COUNT: OnceLock<usize> = OnceLock::new();

thread_local! {
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

/// How many runtimes the process has; one until they are started.
#[must_use]
pub fn count() -> usize {
    COUNT.get().copied().unwrap_or(1)
}

/// The index of the runtime that this thread runs, from 0; 0 on any other thread.
#[must_use]
pub fn current() -> usize {
    CURRENT.get()
}

/// Starts a task on this thread's runtime. The caller sees to its end before the process ends.
#[expect(clippy::disallowed_methods, reason = "this is how the frame spawns")]
pub fn spawn<F>(task: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(task)
}

/// Waits.
#[expect(clippy::disallowed_methods, reason = "this is how the frame paces")]
pub async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

type Job = Box<dyn FnOnce() + Send>;

/// One runtime as the others see it.
#[derive(Debug)]
pub(crate) struct Worker {
    jobs: mpsc::UnboundedSender<Job>,
    /// Connections that it serves.
    pub(crate) load: Arc<AtomicUsize>,
}

impl Worker {
    /// Runs a job on that runtime's thread, inside the runtime.
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) {
        // The receiver goes only when the process ends.
        let _ = self.jobs.send(Box::new(job));
    }
}

/// Says how many runtimes there will be; the first call wins.
pub(crate) fn set_count(count: usize) {
    COUNT.get_or_init(|| count);
}

/// Makes a single-threaded runtime.
pub(crate) fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().event_interval(31).build()
}

/// What blocking calls that are still out get before the process ends without them.
const LAST_CALLS: Duration = Duration::from_secs(1);

/// Drives a runtime until its work is done, and does not wait for more: a call of a library into a service that is gone may never
/// come back.
pub(crate) fn drive<T>(runtime: Runtime, work: impl Future<Output = T>) -> T {
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(LAST_CALLS);
    done
}

/// Starts the runtimes: the first on this thread, driven by the caller; the others on threads of their own.
pub(crate) fn start() -> std::io::Result<Vec<Worker>> {
    (0..count()).map(start_one).collect()
}

fn start_one(index: usize) -> std::io::Result<Worker> {
    let (jobs, mut queue) = mpsc::unbounded_channel::<Job>();
    let serve = async move {
        while let Some(job) = queue.recv().await {
            job();
        }
    };
    if index == 0 {
        spawn(serve);
    } else {
        thread::Builder::new().name(format!("worker-{index}")).spawn(move || {
            CURRENT.set(index);
            match runtime() {
                Ok(runtime) => runtime.block_on(serve),
                Err(error) => tracing::error!(%error, "a runtime cannot be made"),
            }
        })?;
    }
    Ok(Worker { jobs, load: Arc::new(AtomicUsize::new(0)) })
}

/// The worker with the fewest connections.
pub(crate) fn least_loaded(workers: &[Worker]) -> Option<&Worker> {
    workers.iter().min_by_key(|worker| worker.load.load(Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocking_call_that_never_comes_back_does_not_hold_up_the_end() {
        let (_held, never) = std::sync::mpsc::channel::<()>();
        let (begun, begins) = tokio::sync::oneshot::channel();
        let done = drive(runtime().expect("a runtime"), async {
            tokio::task::spawn_blocking(move || {
                let _ = begun.send(());
                never.recv()
            });
            begins.await
        });
        assert_eq!(done, Ok(()));
    }
}
