//! A dead letter delivered again, to the trigger that it is from and to nobody else.

use std::{pin::pin, sync::Arc, time::Duration};

use common::{Error, Trace};
use tokio::time::timeout;

use super::{Backend, Engine, Stored, work::For};
use crate::{
    death,
    dlq::{Dead, DeadLetters as _},
};

/// How long a person waits for a replay.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a dead letter was not delivered again; it is kept.
#[derive(Debug, thiserror::Error)]
pub enum NotReplayed {
    /// It was none of these, or is gone.
    #[error("there is no such dead letter")]
    Unknown,
    /// It never was an event.
    #[error("what was kept was no valid event and cannot be delivered")]
    NoEvent,
    /// The trigger is not in the document.
    #[error("there is no trigger {0} any more")]
    NoTrigger(String),
    /// The target would not have it again.
    #[error("it was not delivered: {0}")]
    Failed(String),
    /// The dead letters cannot be reached.
    #[error("{}", .0.chain())]
    Store(#[from] Error),
}

impl<B: Backend> Engine<B> {
    /// Delivers a dead letter again as the trigger says now, and removes it once the target has it.
    ///
    /// # Errors
    /// Why it was not delivered, or not removed.
    pub async fn replay(self: &Arc<Self>, id: &str) -> Result<(), NotReplayed> {
        let Dead { event, .. } = self.backend.dead().get(id).await?.ok_or(NotReplayed::Unknown)?;
        if death::is_invalid(&event) {
            return Err(NotReplayed::NoEvent);
        }
        let revived = death::revive(event);
        let triggers = self.table.load().triggers.clone();
        let Some(trigger) = triggers.iter().find(|trigger| trigger.name == revived.trigger) else {
            return Err(NotReplayed::NoTrigger(revived.trigger));
        };
        let stored = Stored::new(revived.event, Trace::default(), revived.hops);
        let hurry = pin!(trigger.hurry.notified());
        let reply = match timeout(PATIENCE, self.deliver(trigger, &stored, hurry, For::Caller)).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(failed)) => return Err(NotReplayed::Failed(failed.message)),
            Err(_) => {
                return Err(NotReplayed::Failed(format!("the target did not take it in {PATIENCE:?}")));
            }
        };
        if let Some(reply) = reply
            && !self.reply(trigger, reply, stored.trace.clone(), stored.hops).await
        {
            return Err(NotReplayed::Failed("the broker stops".to_owned()));
        }
        self.backend.dead().remove(id).await?;
        Ok(())
    }
}
