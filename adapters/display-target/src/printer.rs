//! Standard output, written by a thread of its own: a reader that stands still holds up neither health nor the end.

use std::{
    io::{self, Write as _},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use tokio::sync::{mpsc, oneshot};

/// Blocks that wait for the one being written; more wait with their callers.
const WAITING: usize = 16;

/// Prints blocks one after the other.
#[derive(Debug)]
pub struct Printer {
    queue: mpsc::Sender<Job>,
    jobs: Arc<Mutex<mpsc::Receiver<Job>>>,
}

#[derive(Debug)]
struct Job {
    block: String,
    done: oneshot::Sender<io::Result<()>>,
}

impl Printer {
    /// One that begins to print once it is started.
    pub fn new() -> Self {
        let (queue, jobs) = mpsc::channel(WAITING);
        Self { queue, jobs: Arc::new(Mutex::new(jobs)) }
    }

    /// Starts to print.
    pub fn start(&self) -> io::Result<()> {
        let jobs = Arc::clone(&self.jobs);
        thread::Builder::new().name("printer".to_owned()).spawn(move || {
            let mut jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
            while let Some(Job { block, done }) = jobs.blocking_recv() {
                // Nobody waits any more: the caller was told nothing and will send the event again.
                if !done.is_closed() {
                    let _ = done.send(write(&block));
                }
            }
        })?;
        Ok(())
    }

    /// Prints a block in one piece; `Ok` when it was written.
    pub async fn print(&self, block: String) -> io::Result<()> {
        let (done, result) = oneshot::channel();
        let gone = |_| io::Error::other("the printer has ended");
        self.queue.send(Job { block, done }).await.map_err(|_| gone(()))?;
        result.await.map_err(|_| gone(()))?
    }
}

fn write(block: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(block.as_bytes())?;
    out.flush()
}
