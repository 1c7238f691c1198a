//! Delivery of one event to one trigger: tries, waits, dead letter, reply.

use std::{
    pin::{Pin, pin},
    sync::Arc,
    time::Instant,
};

use bytes::Bytes;
use common::{Event, Fault, Trace, send::Failure, worker};
use tokio::sync::futures::Notified;

use super::{
    Engine, Rank,
    trigger::{Entry, Stored, Trigger},
};
use crate::{policy, queue::Item};

/// The last failure of a delivery, as the dead letter is told of it.
#[derive(Debug)]
pub(super) struct Failed {
    /// `None` = there was no answer.
    pub status: Option<u16>,
    /// The body of the answer, or what happened.
    pub body: Bytes,
    /// What happened, for the log.
    pub message: String,
}

/// Delivers one event after the other until none is left.
pub(super) async fn slot(engine: Arc<Engine>, trigger: Arc<Trigger>) {
    let mut hurry = pin!(trigger.hurry.notified());
    let mut finished = None;
    while let Some(Item { entry, key }) = trigger.queue.next(finished.take(), engine.concurrency(&trigger)) {
        let started = Instant::now();
        let result = engine.deliver(&trigger, &entry, hurry.as_mut()).await;
        engine.finish(&trigger, entry, result, started).await;
        finished = key;
    }
}

impl Engine {
    /// Tries as often as the trigger says, and gives the reply, if there is one.
    async fn deliver(
        &self,
        trigger: &Trigger,
        entry: &Entry,
        mut hurry: Pin<&mut Notified<'_>>,
    ) -> Result<Option<Event>, Failed> {
        let Stored { event, trace, .. } = &*entry.stored;
        let mut retry = 0;
        loop {
            let route = trigger.route.load_full();
            let Some(target) = &route.target else {
                return Err(Failed::without_answer("no target is known"));
            };
            if self.is_ending() {
                return Err(Failed::stopped());
            }
            let attempt = tokio::select! {
                biased;
                attempt = target.attempt(event, trace) => attempt,
                () = hurry.as_mut() => return Err(Failed::stopped()),
            };
            let failure = match attempt {
                Ok(accepted) => return Ok(accepted.reply),
                Err(failure) => failure,
            };
            // Looked at again: the options may have changed while the attempt was out.
            let options = &trigger.route.load_full().options;
            if failure.fault == Fault::Event || retry >= options.retry {
                return Err(failure.into());
            }
            retry += 1;
            let wait = options.wait(retry, failure.retry_after, self.settings.retry_after_max);
            tracing::debug!(
                trigger = trigger.name,
                id = event.id(),
                retry,
                reason = failure.message,
                "trying again"
            );
            tokio::select! {
                () = worker::sleep(wait) => {}
                () = hurry.as_mut() => return Err(failure.into()),
            }
        }
    }

    /// What follows a delivery: the reply comes back in, a failure goes to the dead letter.
    async fn finish(
        self: &Arc<Self>,
        trigger: &Trigger,
        entry: Entry,
        result: Result<Option<Event>, Failed>,
        started: Instant,
    ) {
        let event = &entry.stored.event;
        let delivered = result.is_ok();
        let reply = match result {
            Ok(reply) => reply,
            Err(failed) => {
                // Boxed, as the reply is: what is rare must not make the slots larger.
                let attempt = Box::pin(self.dead_letter(trigger, event, &entry.stored.trace, &failed));
                attempt.await.unwrap_or_else(|reason| {
                    self.lose(trigger, event, &reason);
                    None
                })
            }
        };
        let replied = reply.as_ref().map_or("", Event::event_type);
        trigger.metrics.done(event.event_type(), replied, delivered, started.elapsed());
        let Some(reply) = reply else { return };
        let (trace, hops) = (entry.stored.trace.clone(), entry.stored.hops);
        // The reply takes the room of the event it answers.
        drop(entry);
        self.reply(trigger, reply, trace, hops).await;
    }

    /// Takes a reply back into the broker, before any new event; what cannot come in goes to the dead letter of the
    /// trigger that caused it. Boxed, because a dead letter may reply to an event that is still on its way in, which
    /// makes a circle of futures.
    pub(super) fn reply<'a>(
        self: &'a Arc<Self>,
        trigger: &'a Trigger,
        reply: Event,
        trace: Trace,
        hops: u32,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        let stored = Stored::new(reply, trace, hops + 1);
        Box::pin(async move {
            let failed = if stored.hops > self.settings.max_hops {
                Failed::refused(508, "the reply would pass the broker too often")
            } else {
                match self.publish(&stored, Rank::Reply).await {
                    Ok(()) => return,
                    Err(refused) => Failed::refused(429, &format!("the reply cannot come in: {refused}")),
                }
            };
            // What a dead letter answers to an event that may not come in may not come in either.
            if let Err(reason) = self.dead_letter(trigger, &stored.event, &stored.trace, &failed).await {
                self.lose(trigger, &stored.event, &reason);
            }
        })
    }

    /// One attempt to hand an event to the trigger's dead letter, and what that answered.
    ///
    /// # Errors
    /// Why the event is lost: what happened first, and what to the attempt.
    pub(super) async fn dead_letter(
        &self,
        trigger: &Trigger,
        event: &Event,
        trace: &Trace,
        failed: &Failed,
    ) -> Result<Option<Event>, String> {
        let route = trigger.route.load_full();
        let Some(sender) = &route.dead_letter else { return Err(failed.reason("there is no dead letter")) };
        let destination = route.options.url.as_deref().unwrap_or_default();
        let dead = policy::dead_letter(event, destination, failed.status, &failed.body);
        tokio::select! {
            attempt = sender.attempt(&dead, trace) => match attempt {
                Ok(accepted) => {
                    trigger.metrics.dead_lettered();
                    Ok(accepted.reply)
                }
                Err(failure) => Err(failed.reason(&format!("the dead letter: {}", failure.message))),
            },
            () = self.ended() => Err(failed.reason("no time was left for the dead letter")),
        }
    }
}

impl Failed {
    fn without_answer(reason: &str) -> Self {
        Self { status: None, body: format!("dispatch error: {reason}").into(), message: reason.to_owned() }
    }

    fn stopped() -> Self {
        Self::without_answer("the broker stopped before the event was delivered")
    }

    /// What the broker itself refused, with the status that says it best.
    pub fn refused(status: u16, reason: &str) -> Self {
        Self { status: Some(status), body: reason.to_owned().into(), message: reason.to_owned() }
    }

    fn reason(&self, after: &str) -> String {
        format!("{}; {after}", self.message)
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        match failure.status {
            Some(status) => {
                Self { status: Some(status.as_u16()), body: failure.body, message: failure.message }
            }
            None => Self::without_answer(&failure.message),
        }
    }
}
