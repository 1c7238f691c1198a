//! A queue of ElasticMQ for one trial.

use std::{
    net::SocketAddr,
    process,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use kit::Failure;
use serde_json::{Value, json};

use crate::{ElasticMq, Sqs, shared::shared};

/// A queue that nobody else uses, on a server that others use too.
pub struct Queue {
    server: Arc<ElasticMq>,
    name: String,
    url: String,
    sqs: Sqs,
    taken: Mutex<Vec<Value>>,
}

impl Queue {
    /// A standard queue; attributes as in [`Sqs::create`].
    ///
    /// # Errors
    /// When there is no server.
    pub fn standard(attributes: &Value) -> Result<Self, Failure> {
        Self::with("", attributes.clone())
    }

    /// A FIFO queue.
    ///
    /// # Errors
    /// As [`standard`](Self::standard).
    pub fn fifo(attributes: &Value) -> Result<Self, Failure> {
        let mut attributes = attributes.clone();
        attributes["FifoQueue"] = "true".into();
        Self::with(".fifo", attributes)
    }

    fn with(suffix: &str, attributes: Value) -> Result<Self, Failure> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let server = shared(ElasticMq::start)?;
        let sqs = Sqs::new(server.address(), ElasticMq::REGION);
        let name = format!("queue-{}-{}{suffix}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let url = sqs.create(&name, &attributes)?;
        Ok(Self { server, name, url, sqs, taken: Mutex::default() })
    }

    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:sqs:{}:{}:{}", ElasticMq::REGION, ElasticMq::ACCOUNT, self.name)
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where its server listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The settings by which an adapter finds it behind this endpoint.
    #[must_use]
    pub fn settings(&self, endpoint: String) -> Vec<(&'static str, String)> {
        vec![
            ("ARN", self.arn()),
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI".to_owned()),
        ]
    }

    /// All that can be asked of it.
    #[must_use]
    pub fn sqs(&self) -> Sqs {
        self.sqs
    }

    /// Sends messages.
    ///
    /// # Errors
    /// When one is refused.
    pub fn send(&self, bodies: &[String]) -> Result<(), Failure> {
        self.sqs.send(&self.url, bodies)
    }

    /// Messages that are in it, hidden ones included.
    ///
    /// # Errors
    /// When it does not say.
    pub fn depth(&self) -> Result<usize, Failure> {
        let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        names.iter().try_fold(0, |sum, name| {
            let count = self.sqs.attribute(&self.url, name)?;
            count.parse::<usize>().map(|count| sum + count).map_err(|error| format!("{name}: {error}"))
        })
    }

    /// Takes out all that is there, and gives all that was ever taken, in the order in which it came.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn take(&self) -> Result<Vec<Value>, Failure> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let messages = self.sqs.receive(&self.url)?;
            if messages.is_empty() {
                return Ok(taken.clone());
            }
            let entries: Vec<_> = messages
                .iter()
                .enumerate()
                .map(|(index, message)| json!({"Id": index.to_string(), "ReceiptHandle": message["ReceiptHandle"]}))
                .collect();
            self.sqs.call("DeleteMessageBatch", &json!({"QueueUrl": self.url, "Entries": entries}))?;
            taken.extend(messages);
        }
    }
}
