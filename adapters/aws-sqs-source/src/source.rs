//! Messages of a queue as events (Amazon SQS Developer Guide: long polling, visibility timeout, FIFO delivery logic).

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws::{Session, batch};
use aws_sdk_sqs::types::MessageSystemAttributeName as Attribute;
use common::{
    Adapter, Error, Event, Field, Info, Kind, Message, QueueLimits, QueueSource, Role, Scaling, Text,
    config::ConfigError,
};

use crate::{
    client::{self, LONGEST_CALL, Queue},
    config::SqsSourceConfig,
    event::{self, Origin},
};

/// How long a message is hidden where neither the setting nor the queue says: SQS's own default.
const LEASE: Duration = Duration::from_secs(30);
/// The largest answer: ten messages of 1 MiB, each character of which may be escaped.
const ANSWER_BYTES: usize = 24 << 20;
/// Bytes of messages that are asked for with one call, about.
const BATCH_BYTES: usize = 3 << 20;
/// Memory that a message takes beside its events, about.
const OVERHEAD: usize = 1024;

/// A queue.
pub struct Sqs {
    config: SqsSourceConfig,
    origin: Origin,
    sqs: client::Sqs,
    found: OnceLock<Found>,
    /// Bytes of a message, on the average of the last ones.
    size: AtomicUsize,
}

/// What the first contact told.
struct Found {
    queue: Queue,
    lease: Duration,
}

impl Adapter for Sqs {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Source,
        component: "awssqssource",
        resource_group: "awssqssources.sources.triggermesh.io",
        images: &["awssqssource-adapter"],
        emits: &["com.amazon.sqs.message", "com.amazon.s3.*", "com.amazon.events.event"],
        accepts: &[],
        scaling: Scaling::Any,
        kinds: &[
            Kind {
                group: "sources.triggermesh.io",
                version: "v1alpha1",
                kind: "AWSSQSSource",
                constants: &[],
                fields: &aws::fields::<4, 10>([
                    Field::new("arn", "ARN"),
                    Field::new("messageProcessor", "SQS_MESSAGE_PROCESSOR"),
                    Field::new("receiveOptions.visibilityTimeout", "SQS_VISIBILITY_TIMEOUT"),
                    Field::new("endpoint.url", "AWS_ENDPOINT_URL"),
                ]),
            },
            Kind {
                group: "sources.triggermesh.io",
                version: "v1alpha1",
                kind: "AWSS3Source",
                constants: &[("SQS_MESSAGE_PROCESSOR", "s3")],
                fields: &aws::fields::<3, 9>([
                    Field::new("destination.sqs.queueARN", "ARN"),
                    Field::cluster("arn"),
                    Field::cluster("eventTypes"),
                ]),
            },
            Kind {
                group: "sources.triggermesh.io",
                version: "v1alpha1",
                kind: "AWSEventBridgeSource",
                constants: &[("SQS_MESSAGE_PROCESSOR", "eventbridge")],
                fields: &aws::fields::<3, 9>([
                    Field::new("destination.sqs.queueARN", "ARN"),
                    Field::new("arn", "CE_SOURCE"),
                    Field::cluster("eventPattern"),
                ]),
            },
        ],
    };
    type Config = SqsSourceConfig;

    fn new(config: Self::Config) -> Result<Self, ConfigError> {
        let endpoint = config.aws_endpoint_url_sqs.as_ref();
        let session =
            Session::reading(&config.aws, config.arn.region(), endpoint, LONGEST_CALL, ANSWER_BYTES)?;
        let origin = Origin {
            processor: config.sqs_message_processor,
            queue: config.arn.as_str().into(),
            partition: config.arn.partition().to_owned(),
            source: config.bus().into(),
        };
        let sqs = client::Sqs::new(session);
        Ok(Self { config, origin, sqs, found: OnceLock::new(), size: AtomicUsize::new(0) })
    }

    async fn connect(&self) -> Result<(), Error> {
        let url = self.sqs.find(&self.config.arn).await?.into();
        let fifo = self.config.is_fifo();
        let queue = Queue { sqs: self.sqs.clone(), url, fifo, polls: Arc::default() };
        let lease = match self.config.lease() {
            Some(lease) => lease,
            None => lease_of(&queue).await?,
        };
        self.found.get_or_init(|| Found { queue, lease });
        Ok(())
    }
}

impl QueueSource for Sqs {
    type Receipt = Text;

    fn limits(&self) -> QueueLimits {
        QueueLimits { lease: self.found.get().map(|found| found.lease), ..QueueLimits::default() }
    }

    async fn receive(&self, max: usize) -> Result<Vec<Message<Text>>, Error> {
        let Found { queue, lease } = self.found()?;
        // Fewer with one call where messages are large: ten of 1 MiB, each several times in memory, are too much.
        let fitting = BATCH_BYTES / self.size.load(Ordering::Relaxed).max(1);
        let messages = queue.receive(max.min(fitting.max(1)), *lease).await?;
        let bytes: usize = messages.iter().filter_map(|message| message.body()).map(str::len).sum();
        if let Some(size) = bytes.checked_div(messages.len()) {
            self.size.store(size, Ordering::Relaxed);
        }
        Ok(messages.into_iter().filter_map(|message| self.message(message)).collect())
    }

    async fn acknowledge(&self, receipts: &[Text]) -> Vec<Result<(), Error>> {
        match self.found() {
            Ok(found) => found.queue.delete(receipts).await,
            Err(error) => batch::all(receipts.len(), &error),
        }
    }

    async fn extend(&self, receipts: &[Text]) -> Vec<Result<(), Error>> {
        match self.found() {
            Ok(found) => found.queue.hide(receipts, found.lease).await,
            Err(error) => batch::all(receipts.len(), &error),
        }
    }

    async fn release(&self, receipts: &[Text], after: Duration) {
        let Ok(Found { queue, .. }) = self.found() else { return };
        queue.polls.handed_back();
        for error in queue.hide(receipts, after).await.into_iter().filter_map(Result::err) {
            let reason = error.chain();
            tracing::debug!(reason, "a message was not handed back: it comes again after its lease");
        }
    }

    async fn close(&self) {
        if let Ok(found) = self.found() {
            found.queue.polls.close().await;
        }
    }
}

impl Sqs {
    fn found(&self) -> Result<&Found, Error> {
        self.found.get().ok_or_else(|| Error::retryable("the queue was not looked up yet"))
    }

    /// A message with its events. One that cannot be read at all stays in the queue, whose redrive policy decides.
    fn message(&self, message: aws_sdk_sqs::types::Message) -> Option<Message<Text>> {
        let receipt = Text::from(message.receipt_handle()?);
        let events = match event::events(&self.origin, &message) {
            Ok(events) => events,
            Err(error) => {
                tracing::error!(%error, "a message makes no event");
                return None;
            }
        };
        let group = event::attribute(&message, Attribute::MessageGroupId).filter(|_| self.config.is_fifo());
        let receives = event::attribute(&message, Attribute::ApproximateReceiveCount);
        Some(Message {
            name: message.message_id().unwrap_or_default().into(),
            receipt,
            group: group.map(Text::from),
            receives: receives.and_then(|count| count.parse().ok()),
            bytes: OVERHEAD + events.iter().map(Event::size).sum::<usize>(),
            events,
        })
    }
}

/// The queue's own visibility timeout. Who may receive may still not ask for that: the original never did.
async fn lease_of(queue: &Queue) -> Result<Duration, Error> {
    let found = queue.visibility_timeout().await?;
    if found.is_none() {
        let seconds = LEASE.as_secs();
        tracing::warn!(
            seconds,
            "the queue does not tell its visibility timeout: SQS_VISIBILITY_TIMEOUT can set it"
        );
    }
    Ok(found.filter(|time| !time.is_zero()).unwrap_or(LEASE))
}
