//! Events as messages of a queue, up to ten with one call (Amazon SQS API Reference, `SendMessageBatch`).

use std::time::Duration;

use aws::{
    Session,
    batch::{self, Refused},
};
use aws_sdk_sqs::{
    error::BuildError,
    types::{BatchResultErrorEntry, SendMessageBatchRequestEntry, SendMessageBatchResultEntry},
};
use common::{
    Adapter, BatchLimits, BatchTarget, Context, Error, Event, Field, Info, Kind, Reply, Role, Scaling,
    config::ConfigError,
};

use crate::{
    config::SqsTargetConfig,
    convert::{self, Entry, MAX_BYTES},
    event::{self, REPLY_TYPE},
};

const DOING: &str = "sending to the queue that ARN names";
/// Longest that one call may take.
const LONGEST_CALL: Duration = Duration::from_secs(10);
/// The largest answer: what it says of ten entries is far less.
const ANSWER_BYTES: usize = 256 << 10;

/// A queue.
pub struct Sqs {
    config: SqsTargetConfig,
    url: String,
    session: Session,
    sqs: aws_sdk_sqs::Client,
}

impl Adapter for Sqs {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Target,
        component: "awssqstarget",
        resource_group: "awssqstargets.targets.triggermesh.io",
        images: &["awssqstarget-adapter"],
        emits: &[REPLY_TYPE],
        accepts: &["*"],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "targets.triggermesh.io",
            version: "v1alpha1",
            kind: "AWSSQSTarget",
            constants: &[],
            fields: &aws::fields::<3, 9>([
                Field::new("arn", "ARN"),
                Field::new("discardCloudEventContext", "AWS_DISCARD_CE_CONTEXT"),
                Field::new("messageGroupId", "AWS_MESSAGE_GROUP_ID"),
            ]),
        }],
    };
    type Config = SqsTargetConfig;

    fn new(config: Self::Config) -> Result<Self, ConfigError> {
        let endpoint = config.aws_endpoint_url_sqs.as_ref();
        let session =
            Session::reading(&config.aws, config.arn.region(), endpoint, LONGEST_CALL, ANSWER_BYTES)?;
        let sqs = aws_sdk_sqs::Client::new(session.sdk());
        Ok(Self { url: config.queue_url(), config, session, sqs })
    }
}

impl BatchTarget for Sqs {
    type Entry = Entry;

    fn limits(&self) -> BatchLimits {
        BatchLimits { entries: 10, bytes: MAX_BYTES, ..BatchLimits::default() }
    }

    fn convert(&self, event: Event, _: &Context) -> Result<Entry, Error> {
        convert::entry(&self.config, &event)
    }

    fn size(&self, entry: &Entry) -> usize {
        entry.body.len()
    }

    async fn handle(&self, entries: Vec<Entry>) -> Vec<Result<Reply, Error>> {
        let results = match self.send(&entries).await {
            // Something in it is not taken, or there is too much of it together: no entry shall fail for its neighbours.
            Err(error) if error.is_permanent() && entries.len() > 1 => {
                let mut results = Vec::with_capacity(entries.len());
                for entry in &entries {
                    let alone = self.send(std::slice::from_ref(entry)).await;
                    results.extend(alone.unwrap_or_else(|error| batch::all(1, &error)));
                }
                results
            }
            sent => sent.unwrap_or_else(|error| batch::all(entries.len(), &error)),
        };
        results.into_iter().map(|result| self.reply(&result?)).collect()
    }
}

impl Sqs {
    /// Sends entries with one call; one result each, or the failure of the call.
    async fn send(
        &self,
        entries: &[Entry],
    ) -> Result<Vec<Result<SendMessageBatchResultEntry, Error>>, Error> {
        let built: Result<Vec<_>, BuildError> = entries
            .iter()
            .enumerate()
            .map(|(index, entry)| {
                let request =
                    SendMessageBatchRequestEntry::builder().id(batch::id(index)).message_body(&entry.body);
                request
                    .set_message_group_id(entry.group.clone())
                    .set_message_deduplication_id(entry.deduplication.clone())
                    .build()
            })
            .collect();
        let built = built.map_err(|error| Error::retryable(DOING).caused_by(error))?;
        let call = self.sqs.send_message_batch().queue_url(&self.url).set_entries(Some(built));
        let answer = call.send().await.map_err(|failure| self.session.error(DOING, failure))?;
        let done = answer.successful.into_iter().map(|entry| (entry.id.clone(), entry));
        Ok(batch::results(entries.len(), DOING, done, answer.failed.into_iter().map(refused)))
    }

    fn reply(&self, sent: &SendMessageBatchResultEntry) -> Result<Reply, Error> {
        let reply = event::reply(&self.config.arn, sent);
        reply.map(Reply::Event).map_err(|error| Error::permanent("making the reply").caused_by(error))
    }
}

fn refused(entry: BatchResultErrorEntry) -> Refused {
    let BatchResultErrorEntry { id, sender_fault, code, message, .. } = entry;
    Refused { id, code, sender_fault, message }
}
