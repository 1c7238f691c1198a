//! The calls to the queue (Amazon SQS API Reference, 2012-11-05).

mod polls;

use std::{sync::Arc, time::Duration};

use aws::{
    Arn, Session,
    batch::{self, Refused},
};
use aws_sdk_sqs::{
    config::{Builder, timeout::TimeoutConfig},
    error::{BuildError, ProvideErrorMetadata},
    types::{
        BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
        Message, MessageSystemAttributeName, QueueAttributeName,
    },
};
use common::{Error, Text, event, worker};
use tokio::sync::oneshot;

use self::polls::{Parcel, Polls};

/// Longest wait for messages that SQS allows: an idle queue costs the fewest calls.
const WAIT: Duration = Duration::from_secs(20);
/// Longest that one call may take, that to receive aside.
pub const LONGEST_CALL: Duration = Duration::from_secs(10);
/// What a call to receive may take beside the wait.
const BESIDE_WAIT: Duration = Duration::from_secs(10);
/// Longest time that a message can be hidden.
pub const HIDDEN_MAX: Duration = Duration::from_secs(12 * 60 * 60);

/// A queue and the way to it.
#[derive(Debug, Clone)]
pub struct Queue {
    pub sqs: Sqs,
    pub url: Arc<str>,
    pub fifo: bool,
    pub polls: Arc<Polls>,
}

/// The service.
#[derive(Debug, Clone)]
pub struct Sqs {
    session: Arc<Session>,
    client: aws_sdk_sqs::Client,
    /// For calls that wait.
    patient: aws_sdk_sqs::Client,
}

impl Sqs {
    /// Nothing is called yet.
    pub fn new(session: Session) -> Self {
        let client = aws_sdk_sqs::Client::new(session.sdk());
        let longest = WAIT + BESIDE_WAIT;
        // A second attempt is for one that ended early: silence for so long is a failure.
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(longest).operation_timeout(longest);
        let patient = Builder::from(session.sdk()).timeout_config(timeouts.build()).build();
        Self { session: Arc::new(session), client, patient: aws_sdk_sqs::Client::from_conf(patient) }
    }

    /// The URL of a queue, be it of another account.
    ///
    /// # Errors
    /// When it is not there, or may not be used.
    pub async fn find(&self, arn: &Arn) -> Result<String, Error> {
        const DOING: &str = "looking up the queue that ARN names";
        let owner = Some(arn.account().to_owned()).filter(|account| !account.is_empty());
        let call = self.client.get_queue_url().queue_name(arn.resource());
        let found = call.set_queue_owner_aws_account_id(owner).send().await;
        let found = found.map_err(|failure| self.session.error(DOING, failure))?;
        found.queue_url.ok_or_else(|| Error::retryable(format!("{DOING}: the answer holds no URL")))
    }
}

impl Queue {
    /// How long the queue hides a message by itself; `None` when these credentials may not know.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn visibility_timeout(&self) -> Result<Option<Duration>, Error> {
        let name = QueueAttributeName::VisibilityTimeout;
        let call = self.sqs.client.get_queue_attributes().queue_url(&*self.url).attribute_names(name.clone());
        let found = match call.send().await {
            Err(failure) if failure.code().is_some_and(|code| code.starts_with("AccessDenied")) => {
                return Ok(None);
            }
            found => found
                .map_err(|failure| self.sqs.session.error("asking for the visibility timeout", failure))?,
        };
        Ok(found.attributes().and_then(|all| all.get(&name)?.parse().ok()).map(Duration::from_secs))
    }

    /// Waits for messages and hides them for `lease`.
    ///
    /// When nobody waits for the answer any more, because the process is asked to stop, the call goes on all the same: the
    /// queue would give its messages to a call that is cut off too, and keep them hidden for nobody.
    ///
    /// # Errors
    /// When the queue cannot be asked.
    pub async fn receive(&self, max: usize, lease: Duration) -> Result<Vec<Message>, Error> {
        let (answer, answered) = oneshot::channel();
        let (queue, out) = (self.clone(), Polls::begin(&self.polls));
        worker::spawn(async move {
            let received = queue.poll(max, lease).await;
            // What comes back here, or is dropped unseen on the other side, is handed back.
            let _ = answer.send(received.map(|messages| Parcel { messages, queue, out: Some(out) }));
        });
        match answered.await {
            Ok(parcel) => parcel.map(Parcel::take),
            Err(_) => Err(Error::retryable("receiving messages: the call ended without an answer")),
        }
    }

    async fn poll(&self, max: usize, lease: Duration) -> Result<Vec<Message>, Error> {
        let call = self.sqs.patient.receive_message().queue_url(&*self.url).wait_time_seconds(seconds(WAIT));
        let call = call.max_number_of_messages(i32::try_from(max).unwrap_or(i32::MAX));
        let call = call.message_system_attribute_names(MessageSystemAttributeName::All);
        let call = call.message_attribute_names("All").visibility_timeout(seconds(lease));
        // A second attempt after a broken connection gets the messages of the first, which else would block their groups.
        let attempt = self.fifo.then(|| event::new_id().to_string());
        let received = call.set_receive_request_attempt_id(attempt).send().await;
        let received = received.map_err(|failure| self.sqs.session.error("receiving messages", failure))?;
        Ok(received.messages.unwrap_or_default())
    }

    /// Deletes messages.
    pub async fn delete(&self, receipts: &[Text]) -> Vec<Result<(), Error>> {
        const DOING: &str = "deleting a message";
        let entries: Result<Vec<_>, BuildError> = receipts
            .iter()
            .enumerate()
            .map(|(index, receipt)| {
                let entry = DeleteMessageBatchRequestEntry::builder().id(batch::id(index));
                entry.receipt_handle(&**receipt).build()
            })
            .collect();
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => return batch::all(receipts.len(), &Error::retryable(DOING).caused_by(error)),
        };
        let call = self.sqs.client.delete_message_batch().queue_url(&*self.url).set_entries(Some(entries));
        match call.send().await {
            Ok(answer) => {
                let done = answer.successful.into_iter().map(|entry| (entry.id, ()));
                batch::results(receipts.len(), DOING, done, answer.failed.into_iter().map(refused))
            }
            Err(failure) => batch::all(receipts.len(), &self.sqs.session.error(DOING, failure)),
        }
    }

    /// Hides messages for so long from now; not at all for 0.
    pub async fn hide(&self, receipts: &[Text], time: Duration) -> Vec<Result<(), Error>> {
        const DOING: &str = "changing how long a message is hidden";
        let entries: Result<Vec<_>, BuildError> = receipts
            .iter()
            .enumerate()
            .map(|(index, receipt)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(batch::id(index));
                entry.receipt_handle(&**receipt).visibility_timeout(seconds(time)).build()
            })
            .collect();
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => return batch::all(receipts.len(), &Error::retryable(DOING).caused_by(error)),
        };
        let call = self
            .sqs
            .client
            .change_message_visibility_batch()
            .queue_url(&*self.url)
            .set_entries(Some(entries));
        match call.send().await {
            Ok(answer) => {
                let done = answer.successful.into_iter().map(|entry| (entry.id, ()));
                batch::results(receipts.len(), DOING, done, answer.failed.into_iter().map(refused))
            }
            Err(failure) => batch::all(receipts.len(), &self.sqs.session.error(DOING, failure)),
        }
    }
}

fn refused(entry: BatchResultErrorEntry) -> Refused {
    let BatchResultErrorEntry { id, sender_fault, code, message, .. } = entry;
    Refused { id, code, sender_fault, message }
}

/// Whole seconds, a begun one as a whole one, as many as SQS takes.
fn seconds(time: Duration) -> i32 {
    let whole = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    i32::try_from(whole.min(HIDDEN_MAX.as_secs())).unwrap_or_default()
}
