//! The one runtime on which clients of the SDK live and are called.
//!
//! The AMQP library under the SDK (fe2o3-amqp 0.16) puts a message on its way before it notes that an answer is due. While both
//! run on one thread nothing comes between; on two the answer may come first, and is never found.

use std::{future::Future, pin::Pin, sync::OnceLock};

use common::{Error, worker};
use tokio::sync::{mpsc, oneshot};

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The runtime of whoever comes first.
#[derive(Debug, Default)]
pub struct Home(OnceLock<mpsc::UnboundedSender<Job>>);

impl Home {
    /// Does some work there.
    ///
    /// # Errors
    /// When it ended without a result, which only a panic can make it.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let job = async move {
            // Whoever asked may have gone away; the work is done all the same.
            let _ = answer.send(work.await);
        };
        // The receiver goes only when the process ends.
        let _ = self.jobs().send(Box::pin(job));
        answered.await.map_err(|_| Error::retryable("the work ended without a result"))
    }

    fn jobs(&self) -> &mpsc::UnboundedSender<Job> {
        self.0.get_or_init(|| {
            let (jobs, mut queue) = mpsc::unbounded_channel::<Job>();
            worker::spawn(async move {
                while let Some(job) = queue.recv().await {
                    worker::spawn(job);
                }
            });
            jobs
        })
    }
}
