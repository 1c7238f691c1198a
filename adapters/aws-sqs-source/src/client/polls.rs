//! Calls to receive that are out, also those whose answer nobody waits for any more: what they bring is handed back
//! (Amazon SQS Developer Guide, "Amazon SQS visibility timeout": a message counts as received once it was sent to anybody).

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_sdk_sqs::types::Message;
use common::{Text, worker};
use tokio::{runtime::Handle, sync::Notify, time::timeout};

use super::Queue;

/// How long the end waits for answers that are on their way.
const GRACE: Duration = Duration::from_millis(500);
/// The same where messages were handed back, which the calls that are out get first.
const LONG_GRACE: Duration = Duration::from_secs(2);

/// The calls that are out.
#[derive(Debug, Default)]
pub struct Polls {
    out: AtomicUsize,
    ended: Notify,
    handed_back: AtomicBool,
}

/// One of them; it is over when this is dropped.
#[derive(Debug)]
pub struct Out(Arc<Polls>);

impl Drop for Out {
    fn drop(&mut self) {
        self.0.out.fetch_sub(1, Ordering::AcqRel);
        self.0.ended.notify_waiters();
    }
}

impl Polls {
    /// A call begins.
    pub fn begin(polls: &Arc<Self>) -> Out {
        polls.out.fetch_add(1, Ordering::AcqRel);
        Out(Arc::clone(polls))
    }

    /// Messages become visible, and may be given to a call that is out.
    pub fn handed_back(&self) {
        self.handed_back.store(true, Ordering::Release);
    }

    /// Waits for the calls that are out, as long as they may still bring something.
    pub async fn close(&self) {
        let grace = if self.handed_back.load(Ordering::Acquire) { LONG_GRACE } else { GRACE };
        // What has brought nothing by then waits at an empty queue.
        let _ = timeout(grace, self.ended()).await;
    }

    async fn ended(&self) {
        loop {
            let ended = self.ended.notified();
            let mut ended = std::pin::pin!(ended);
            ended.as_mut().enable();
            if self.out.load(Ordering::Acquire) == 0 {
                return;
            }
            ended.await;
        }
    }
}

/// What a call has brought. Not taken, it goes back to the queue.
pub struct Parcel {
    pub messages: Vec<Message>,
    pub queue: Queue,
    pub out: Option<Out>,
}

impl Parcel {
    /// The messages, for one who delivers them.
    pub fn take(mut self) -> Vec<Message> {
        mem::take(&mut self.messages)
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        // The last first, so that of a group none is received before an earlier one.
        let messages = mem::take(&mut self.messages).into_iter().rev();
        let receipts: Vec<_> =
            messages.filter_map(|message| message.receipt_handle.map(Text::from)).collect();
        if receipts.is_empty() || Handle::try_current().is_err() {
            return;
        }
        let (queue, out) = (self.queue.clone(), self.out.take());
        worker::spawn(async move {
            queue.polls.handed_back();
            queue.hide(&receipts, Duration::ZERO).await;
            drop(out);
        });
    }
}
