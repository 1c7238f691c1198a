//! What becomes of the triggers: the page on which it stands, in the form in which the old brokers wrote it into a
//! ConfigMap.
//!
//! Facts: TriggerMesh's brokers, whose status is a JSON object of instances with `ingest` and `subscriptions`.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering::Relaxed},
    },
    time::SystemTime,
};

use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value, json};

use super::{Backend, Engine, Trigger};

/// Where a trigger is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It has had nothing to do.
    Ready,
    /// It has delivered, or does.
    Running,
    /// Its events cannot be read; it is tried again.
    Failed,
    /// It has all that is within its bounds.
    Complete,
}

impl Phase {
    /// All of them.
    pub const NAMES: [&str; 4] = ["Ready", "Running", "Failed", "Complete"];

    /// Its name of old.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Running => "Running",
            Self::Failed => "Failed",
            Self::Complete => "Complete",
        }
    }
}

/// A moment that may not have been yet.
#[derive(Debug, Default)]
pub(crate) struct Moment(AtomicI64);

impl Moment {
    /// It is now.
    pub fn is_now(&self) {
        self.0.store(now(), Relaxed);
    }

    /// When it was, in milliseconds since 1970.
    fn get(&self) -> Option<i64> {
        Some(self.0.load(Relaxed)).filter(|time| *time > 0)
    }
}

/// What is known of one trigger.
#[derive(Debug, Default)]
pub(crate) struct Status {
    /// When it was last done with an event.
    pub processed: Moment,
    is_complete: AtomicBool,
    failure: Mutex<Option<String>>,
    last_error: Mutex<Option<(i64, String)>>,
}

impl Status {
    /// Its events cannot be read.
    pub fn fails(&self, reason: String) {
        self.erred(&reason);
        *lock(&self.failure) = Some(reason);
    }

    /// They can.
    pub fn works(&self) {
        lock(&self.failure).take();
    }

    /// Whether there is nothing more to be read.
    pub fn set_complete(&self, is_complete: bool) {
        self.is_complete.store(is_complete, Relaxed);
    }

    /// Something went wrong, for good or not.
    pub fn erred(&self, reason: &str) {
        *lock(&self.last_error) = Some((now(), reason.to_owned()));
    }
}

impl<B: Backend> Trigger<B> {
    /// Where it is in its life. What is at work when the end of the bounds is read keeps it running.
    pub(crate) fn phase(&self) -> Phase {
        let holds = self.room.taken().events > 0;
        if lock(&self.status.failure).is_some() {
            Phase::Failed
        } else if self.status.is_complete.load(Relaxed) && !holds {
            Phase::Complete
        } else if holds || self.status.processed.get().is_some() {
            Phase::Running
        } else {
            Phase::Ready
        }
    }

    fn status(&self) -> Value {
        let failure = lock(&self.status.failure).clone();
        let mut status = json!({ "status": self.phase().name(), "held": self.room.taken().events });
        set(&mut status, "message", failure.map(Value::from));
        set(&mut status, "lastProcessed", self.status.processed.get().map(time));
        let last = lock(&self.status.last_error).clone();
        let last = last.map(|(at, message)| json!({ "time": time(at), "message": message }));
        set(&mut status, "lastError", last);
        status
    }
}

impl<B: Backend> Engine<B> {
    /// What becomes of the broker and its triggers.
    pub(crate) fn status(&self) -> Value {
        let ingested = self.ingested.get();
        let phase = match ingested {
            _ if self.is_ending() => "Closed",
            Some(_) => Phase::Running.name(),
            None => Phase::Ready.name(),
        };
        let mut ingest = json!({ "status": phase });
        set(&mut ingest, "message", self.backend.trouble().map(Value::from));
        set(&mut ingest, "lastIngested", ingested.map(time));
        let table = self.table.load();
        let subscriptions: Map<String, Value> =
            table.triggers.iter().map(|trigger| (trigger.name.clone(), trigger.status())).collect();
        let own = json!({ "lastUpdated": time(now()), "ingest": ingest, "subscriptions": subscriptions });
        Value::Object(Map::from_iter([(self.settings.name.clone(), own)]))
    }
}

fn set(object: &mut Value, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        object[key] = value;
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or_default()
}

fn time(milliseconds: i64) -> Value {
    DateTime::from_timestamp_millis(milliseconds)
        .map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
        .into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
