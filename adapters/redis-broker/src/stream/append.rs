//! Appending: events of many senders leave in one pipeline, and each sender hears of its own. Those of a batch stand in a
//! transaction: all of them are in the stream, or none.
//!
//! Facts: `MULTI`, `EXEC`, <https://redis.io/docs/latest/develop/using-commands/transactions/>.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use broker::engine::Stored;
use common::{Error, event::json, worker};
use redis::{Pipeline, RedisError, RedisResult, Value};
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
    /// One event, or those of a batch.
    stored: Box<[Arc<Stored>]>,
    answer: oneshot::Sender<Result<(), Error>>,
}

impl Waiting {
    fn bytes(&self) -> usize {
        self.stored.iter().map(|stored| stored.event.size()).sum()
    }

    fn is_batch(&self) -> bool {
        self.stored.len() > 1
    }

    /// How many commands it takes.
    fn commands(&self) -> usize {
        self.stored.len() + if self.is_batch() { 2 } else { 0 }
    }
}

impl Appender {
    pub fn new(client: &Arc<Client>, key: &str) -> Arc<Self> {
        Arc::new(Self { client: Arc::clone(client), key: key.to_owned(), queue: Mutex::default() })
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends events, all or none; `Ok` when the server says that it has them.
    ///
    /// # Errors
    /// When it has not, or did not say so.
    pub async fn append(self: &Arc<Self>, stored: &[Arc<Stored>]) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        let starts = {
            let mut queue = self.queue();
            queue.waiting.push(Waiting { stored: stored.into(), answer });
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
        let (mut entries, mut bytes) = (0, 0);
        let fits = |waiting: &&Waiting| {
            entries += waiting.stored.len();
            bytes += waiting.bytes();
            entries <= MOST.0 && bytes <= MOST.1
        };
        let count = queue.waiting.iter().take_while(fits).count().max(1);
        let count = count.min(queue.waiting.len());
        queue.is_sending = count > 0;
        queue.waiting.drain(..count).collect()
    }

    async fn write(&self, batch: &[Waiting]) -> Result<Vec<Result<(), Error>>, Error> {
        let mut pipeline = Pipeline::with_capacity(batch.iter().map(Waiting::commands).sum());
        for waiting in batch {
            self.add_all(&mut pipeline, waiting);
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
        let mut results = results.into_iter();
        Ok(batch.iter().map(|waiting| outcome(waiting, &mut results)).collect())
    }

    fn add_all(&self, pipeline: &mut Pipeline, waiting: &Waiting) {
        if waiting.is_batch() {
            pipeline.cmd("MULTI");
        }
        for stored in &waiting.stored {
            self.add(pipeline, stored);
        }
        if waiting.is_batch() {
            pipeline.cmd("EXEC");
        }
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

/// What became of one who waits, of the results of its commands.
fn outcome(waiting: &Waiting, results: &mut impl Iterator<Item = RedisResult<Value>>) -> Result<(), Error> {
    if !waiting.is_batch() {
        let own = results.next().map(|result| result.map(drop).map_err(|error| failure(WHAT, &error)));
        return own.unwrap_or_else(|| Err(Error::retryable(WHAT)));
    }
    let results: Vec<_> = results.take(waiting.commands()).collect();
    if results.len() < waiting.commands() {
        return Err(Error::retryable(WHAT));
    }
    let failed = |error: &RedisError| failure(WHAT, error);
    // Why the server would not have one of them says more than that it did nothing for that.
    let own = &results[1..=waiting.stored.len()];
    if let Some(error) = own.iter().find_map(|result| result.as_ref().err()) {
        return Err(failed(error));
    }
    match results.last() {
        // A user who may not use transactions has had them appended one by one.
        _ if results[0].is_err() => Ok(()),
        Some(Ok(done @ Value::Array(_))) => {
            done.clone().extract_error().map(drop).map_err(|error| failed(&error))
        }
        Some(Err(error)) => Err(failed(error)),
        _ => Err(Error::retryable(WHAT)),
    }
}
