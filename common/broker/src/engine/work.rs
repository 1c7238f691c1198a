//! Delivery of one event to one trigger: tries, waits, dead letter, reply.

use std::{
    pin::{Pin, pin},
    sync::Arc,
    time::{Duration, Instant},
};

use common::{Event, Fault, Trace, worker};
use tokio::sync::futures::Notified;

use super::{Backend, Engine, Entry, Failed, Stored, Trigger};
use crate::{
    death::{self, Death},
    dlq::DeadLetters as _,
    queue::Item,
    room::Rank,
};

/// Waits between tries of what must not be given up: a dead letter, a reply. The first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));

/// Whose delivery it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// A slot's, which others may use while the event waits.
    Slot,
    /// Somebody's who asked for just this one.
    Caller,
}

/// Delivers one event after the other until none is left.
async fn slot<B: Backend>(engine: Arc<Engine<B>>, trigger: Arc<Trigger<B>>) {
    let mut hurry = pin!(trigger.hurry.notified());
    let mut finished = None;
    while let Some(Item { entry, key }) = trigger.queue.next(finished.take(), engine.concurrency(&trigger)) {
        let started = Instant::now();
        let result = engine.deliver(&trigger, &entry.stored, hurry.as_mut(), For::Slot).await;
        engine.finish(&trigger, entry, result, started).await;
        finished = key;
    }
}

impl<B: Backend> Engine<B> {
    /// Starts as many more slots as the trigger may have and there is work for.
    pub(super) fn fill_slots(self: &Arc<Self>, trigger: &Arc<Trigger<B>>) {
        self.start_slots(trigger, trigger.queue.more_slots(self.concurrency(trigger)));
    }

    /// Starts so many slots, which the queue of the trigger has counted.
    pub(super) fn start_slots(self: &Arc<Self>, trigger: &Arc<Trigger<B>>, count: usize) {
        for _ in 0..count {
            worker::spawn(slot(self.clone(), trigger.clone()));
        }
    }

    /// Tries as often as the trigger says, and gives the reply, if there is one.
    pub(super) async fn deliver(
        self: &Arc<Self>,
        trigger: &Arc<Trigger<B>>,
        stored: &Stored,
        mut hurry: Pin<&mut Notified<'_>>,
        whose: For,
    ) -> Result<Option<Event>, Failed> {
        let Stored { event, trace, .. } = stored;
        let mut attempts = 0;
        loop {
            let route = trigger.route.load_full();
            let Some(target) = &route.target else {
                trigger.status.erred("no target is known");
                return Err(Failed::without_answer("no target is known").after(attempts));
            };
            if self.is_ending() {
                return Err(Failed::stopped().after(attempts));
            }
            attempts += 1;
            let attempt = tokio::select! {
                biased;
                attempt = target.attempt(event, trace) => attempt,
                () = hurry.as_mut() => return Err(Failed::stopped().after(attempts)),
            };
            let failure = match attempt {
                Ok(accepted) => return Ok(accepted.reply),
                Err(failure) => failure,
            };
            trigger.status.erred(&failure.message);
            // Looked at again: the options may have changed while the attempt was out.
            let options = &trigger.route.load_full().options;
            if failure.fault == Fault::Event || attempts > options.retry {
                return Err(Failed::from(failure).after(attempts));
            }
            let wait = options.wait(attempts, failure.retry_after, self.settings.retry_after_max);
            tracing::debug!(
                trigger = trigger.name,
                id = event.id(),
                retry = attempts,
                reason = failure.message,
                "trying again"
            );
            // Boxed, as it is rare.
            if !Box::pin(self.wait(trigger, wait, hurry.as_mut(), whose)).await {
                return Err(Failed::from(failure).after(attempts));
            }
        }
    }

    /// Waits before another try, and lets others have the slot meanwhile. False when time is up.
    async fn wait(
        self: &Arc<Self>,
        trigger: &Arc<Trigger<B>>,
        wait: Duration,
        mut hurry: Pin<&mut Notified<'_>>,
        whose: For,
    ) -> bool {
        let is_aside = whose == For::Slot && trigger.queue.step_aside(self.concurrency(trigger));
        if is_aside {
            self.fill_slots(trigger);
        }
        let in_time = tokio::select! {
            () = worker::sleep(wait) => true,
            () = hurry.as_mut() => false,
        };
        if !is_aside {
            return in_time;
        }
        if !in_time {
            trigger.queue.come_back_anyway(None);
            return false;
        }
        let Some(mut turn) = trigger.queue.come_back(self.concurrency(trigger)) else { return true };
        tokio::select! {
            biased;
            _ = &mut turn => true,
            () = hurry => {
                trigger.queue.come_back_anyway(Some(turn));
                false
            }
        }
    }

    /// What follows a delivery: the reply comes back in, a failure goes to the dead letter; then the entry is done with,
    /// unless the broker stopped first and the entry outlives it.
    async fn finish(
        self: &Arc<Self>,
        trigger: &Arc<Trigger<B>>,
        entry: Entry<B::Receipt>,
        result: Result<Option<Event>, Failed>,
        started: Instant,
    ) {
        let event = &entry.stored.event;
        let delivered = result.is_ok();
        let reply = match result {
            Ok(reply) => reply,
            // Boxed, as the reply is: what is rare must not make the slots larger.
            Err(failed) => match Box::pin(self.undelivered(trigger, &entry.stored, &failed)).await {
                Some(reply) => reply,
                None => return,
            },
        };
        let replied = reply.as_ref().map_or("", Event::event_type);
        trigger.metrics.done(event.event_type(), replied, delivered, started.elapsed());
        trigger.status.processed.is_now();
        let Entry { stored, place, receipt } = entry;
        let Some(reply) = reply else { return B::done(self, trigger, receipt) };
        let (trace, hops) = (stored.trace.clone(), stored.hops);
        if B::KEEPS {
            if self.reply(trigger, reply, trace, hops).await {
                B::done(self, trigger, receipt);
            }
            return;
        }
        // The reply takes the room of the event it answers.
        drop((stored, place));
        self.reply(trigger, reply, trace, hops).await;
    }

    /// Sees to an event that was not delivered, and gives the reply of the dead letter; `None` when the broker stopped
    /// before anybody had it.
    async fn undelivered(
        self: &Arc<Self>,
        trigger: &Trigger<B>,
        stored: &Stored,
        failed: &Failed,
    ) -> Option<Option<Event>> {
        let mut pause = PAUSES.0;
        loop {
            if B::KEEPS && self.is_ending() {
                return None;
            }
            let reason = match self.dead_letter(trigger, stored, failed).await {
                Ok(reply) => return Some(reply),
                Err(reason) => reason,
            };
            if !B::KEEPS {
                self.lose(trigger, &stored.event, &reason);
                return Some(None);
            }
            trigger.metrics.held_back();
            trigger.status.erred(&reason);
            let (id, seconds) = (stored.event.id(), pause.as_secs_f64());
            tracing::warn!(
                trigger = trigger.name,
                id,
                reason,
                seconds,
                "no dead letter took an event: it waits"
            );
            self.pause(&mut pause).await;
        }
    }

    /// Waits, longer each time, or until the end has begun.
    async fn pause(&self, pause: &mut Duration) {
        tokio::select! {
            () = worker::sleep(*pause) => {}
            () = self.hurried() => {}
        }
        *pause = (*pause * 2).min(PAUSES.1);
    }

    /// Takes a reply back into the broker, before any new event; what cannot come in goes to the dead letter of the
    /// trigger that caused it. Boxed, because a dead letter may reply to an event that is still on its way in, which
    /// makes a circle of futures. False when the broker stopped first.
    pub(crate) fn reply<'a>(
        self: &'a Arc<Self>,
        trigger: &'a Trigger<B>,
        reply: Event,
        trace: Trace,
        hops: u32,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        let stored = Stored::new(reply, trace, hops + 1);
        Box::pin(async move {
            let mut pause = PAUSES.0;
            let failed = loop {
                if stored.hops > self.settings.max_hops {
                    break Failed::refused(508, "the reply would pass the broker too often");
                }
                let refused = match B::publish(self, &stored, Rank::Reply).await {
                    Ok(()) => return true,
                    Err(refused) => refused.of_reply(&stored.event),
                };
                // A log that is away comes back; what it will never take is as good as refused by a target.
                if !B::KEEPS || refused.status != Some(503) {
                    break refused;
                }
                if self.is_ending() {
                    return false;
                }
                self.pause(&mut pause).await;
            };
            // What a dead letter answers to an event that may not come in may not come in either.
            self.undelivered(trigger, &stored, &failed).await.is_some()
        })
    }

    /// One attempt to hand an event to the trigger's dead letter, and what that answered. Where there is none, the event
    /// goes to those that are kept: what a broker holds in memory alone is lost all the same.
    ///
    /// # Errors
    /// Why nobody has it: what happened first, and what to the attempt.
    pub(crate) async fn dead_letter(
        &self,
        trigger: &Trigger<B>,
        stored: &Stored,
        failed: &Failed,
    ) -> Result<Option<Event>, String> {
        let route = trigger.route.load_full();
        let dead = death::dead_letter(
            &stored.event,
            &Death {
                destination: route.options.url.as_deref().unwrap_or_default(),
                status: failed.status,
                body: &failed.body,
                trigger: &trigger.name,
                attempts: failed.attempts,
                hops: stored.hops,
            },
        );
        let Some(sender) = &route.dead_letter else {
            return match self.backend.dead().put(dead).await {
                Ok(()) if B::KEEPS => {
                    trigger.metrics.dead_lettered();
                    Ok(None)
                }
                Ok(()) => Err(failed.reason("there is no dead letter")),
                Err(error) => Err(failed.reason(&error.chain())),
            };
        };
        tokio::select! {
            attempt = sender.attempt(&dead, &stored.trace) => match attempt {
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
