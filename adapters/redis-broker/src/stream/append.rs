//! Appending: events of many senders leave in one pipeline, and each sender hears of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use broker::engine::Stored;
use common::{Error, event::json, worker};
use redis::{Pipeline, RedisResult, Value};
use tokio::sync::oneshot;

use super::{
    client::{Client, ends_connection, failure},
    reply,
};

/// What one pipeline takes at most: entries, and bytes.
const MOST: (usize, usize) = (256, 4 << 20);

/// What is being done, for messages.
const WHAT: &str = "appending the event to the stream";

/// The way into the stream. One pipeline is out at a time; what comes meanwhile leaves with the next.
#[derive(Debug)]
pub struct Appender {
    client: Arc<Client>,
    key: String,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Waiting>,
    is_sending: bool,
}

#[derive(Debug)]
struct Waiting {
    stored: Arc<Stored>,
    answer: oneshot::Sender<Result<(), Error>>,
}

impl Appender {
    pub fn new(client: &Arc<Client>, key: &str) -> Arc<Self> {
        Arc::new(Self { client: Arc::clone(client), key: key.to_owned(), queue: Mutex::default() })
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends an event; `Ok` when the server says that it has it.
    ///
    /// # Errors
    /// When it has not, or did not say so.
    pub async fn append(self: &Arc<Self>, stored: &Arc<Stored>) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        let starts = {
            let mut queue = self.queue();
            queue.waiting.push(Waiting { stored: Arc::clone(stored), answer });
            !std::mem::replace(&mut queue.is_sending, true)
        };
        if starts {
            worker::spawn(Arc::clone(self).send());
        }
        answered.await.unwrap_or_else(|_| Err(Error::retryable(WHAT)))
    }

    async fn send(self: Arc<Self>) {
        loop {
            // Those who are ready to send now leave with the same pipeline.
            tokio::task::yield_now().await;
            let batch = self.next();
            if batch.is_empty() {
                return;
            }
            match self.write(&batch).await {
                Ok(results) => {
                    for (waiting, result) in batch.into_iter().zip(results) {
                        // Who has gone away does not want to know.
                        let _ = waiting.answer.send(result);
                    }
                }
                Err(error) => {
                    for waiting in batch {
                        let _ = waiting.answer.send(Err(error.clone()));
                    }
                }
            }
        }
    }

    /// Takes what one pipeline takes; with nothing the sending is over. Who has gone away will send again.
    fn next(&self) -> Vec<Waiting> {
        let mut queue = self.queue();
        queue.waiting.retain(|waiting| !waiting.answer.is_closed());
        let mut bytes = 0;
        let fits = |waiting: &&Waiting| {
            bytes += waiting.stored.event.size();
            bytes <= MOST.1
        };
        let count = queue.waiting.iter().take(MOST.0).take_while(fits).count().max(1);
        let count = count.min(queue.waiting.len());
        queue.is_sending = count > 0;
        queue.waiting.drain(..count).collect()
    }

    async fn write(&self, batch: &[Waiting]) -> Result<Vec<Result<(), Error>>, Error> {
        let mut pipeline = Pipeline::with_capacity(batch.len());
        for Waiting { stored, .. } in batch {
            self.add(&mut pipeline, stored);
        }
        pipeline.ignore_errors();
        let results: Vec<RedisResult<Value>> = self
            .client
            .ask(|mut connection| async move { pipeline.query_async(&mut connection).await })
            .await
            .map_err(|error| failure(WHAT, &error))?;
        if results.iter().any(|result| result.as_ref().is_err_and(ends_connection)) {
            self.client.close().await;
        }
        Ok(results
            .into_iter()
            .map(|result| result.map(drop).map_err(|error| failure(WHAT, &error)))
            .collect())
    }

    fn add(&self, pipeline: &mut Pipeline, stored: &Stored) {
        let event = json::to_vec(&stored.event);
        pipeline.cmd("XADD").arg(&self.key).arg("*").arg(reply::EVENT).arg(event);
        if stored.hops > 0 {
            pipeline.arg(reply::HOPS).arg(stored.hops);
        }
        if let Some(parent) = stored.trace.parent() {
            pipeline.arg(reply::TRACE).arg(parent);
        }
    }
}
