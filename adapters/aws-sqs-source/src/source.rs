//! Messages of a queue as events (Amazon SQS Developer Guide: long polling, visibility timeout, FIFO delivery logic).

use std::{sync::OnceLock, time::Duration};

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
/// Memory that a message takes beside its events, about.
const OVERHEAD: usize = 1024;

/// A queue.
pub struct Sqs {
    config: SqsSourceConfig,
    origin: Origin,
    session: Session,
    sqs: aws_sdk_sqs::Client,
    found: OnceLock<Found>,
}

/// What the first contact told.
struct Found {
    url: String,
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
        let session = Session::new(&config.aws, config.arn.region(), None, LONGEST_CALL)?;
        let origin = Origin {
            processor: config.sqs_message_processor,
            queue: config.arn.as_str().into(),
            partition: config.arn.partition().to_owned(),
            source: config.bus().into(),
        };
        let sqs = aws_sdk_sqs::Client::new(session.sdk());
        Ok(Self { config, origin, session, sqs, found: OnceLock::new() })
    }

    async fn connect(&self) -> Result<(), Error> {
        let url = client::find(&self.session, &self.sqs, &self.config.arn).await?;
        let lease = match self.config.lease() {
            Some(lease) => lease,
            None => self.lease_of(&url).await?,
        };
        self.found.get_or_init(|| Found { url, lease });
        Ok(())
    }
}

impl QueueSource for Sqs {
    type Receipt = Text;

    fn limits(&self) -> QueueLimits {
        QueueLimits { lease: self.found.get().map(|found| found.lease), ..QueueLimits::default() }
    }

    async fn receive(&self, max: usize) -> Result<Vec<Message<Text>>, Error> {
        let (queue, lease) = self.queue()?;
        let messages = queue.receive(max, lease).await?;
        Ok(messages.into_iter().filter_map(|message| self.message(message)).collect())
    }

    async fn acknowledge(&self, receipts: &[Text]) -> Vec<Result<(), Error>> {
        match self.queue() {
            Ok((queue, _)) => queue.delete(receipts).await,
            Err(error) => batch::all(receipts.len(), &error),
        }
    }

    async fn extend(&self, receipts: &[Text]) -> Vec<Result<(), Error>> {
        match self.queue() {
            Ok((queue, lease)) => queue.hide(receipts, lease).await,
            Err(error) => batch::all(receipts.len(), &error),
        }
    }

    async fn release(&self, receipts: &[Text], after: Duration) {
        let Ok((queue, _)) = self.queue() else { return };
        for error in queue.hide(receipts, after).await.into_iter().filter_map(Result::err) {
            tracing::debug!(
                reason = error.chain(),
                "a message was not handed back: it comes again after its lease"
            );
        }
    }
}

impl Sqs {
    fn queue(&self) -> Result<(Queue<'_>, Duration), Error> {
        let found = self.found.get().ok_or_else(|| Error::retryable("the queue was not looked up yet"))?;
        Ok((Queue { session: &self.session, sqs: &self.sqs, url: &found.url }, found.lease))
    }

    /// The queue's own visibility timeout. Who may receive may still not ask for that: the original never did.
    async fn lease_of(&self, url: &str) -> Result<Duration, Error> {
        let found = Queue { session: &self.session, sqs: &self.sqs, url }.visibility_timeout().await?;
        if found.is_none() {
            let seconds = LEASE.as_secs();
            tracing::warn!(
                seconds,
                "the queue does not tell its visibility timeout: SQS_VISIBILITY_TIMEOUT can set it"
            );
        }
        Ok(found.filter(|time| !time.is_zero()).unwrap_or(LEASE))
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
