//! A scripted outside system, called by many at once.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::Request;

use super::Batched;
use crate::{
    Adapter, BatchLimits, BatchTarget, Context, Error, Event, Reply, Target, Trace,
    run::testing::{Nothing, adapter, eventually, on_runtime},
    worker,
};

/// Takes events by their ids: `bad` cannot be made into an entry, what begins with `no` is refused.
#[derive(Default)]
struct Outside {
    calls: Mutex<Vec<Vec<String>>>,
    open: tokio::sync::Notify,
}

adapter!(Outside, Ok(Self::default()));

impl BatchTarget for Outside {
    type Entry = String;

    fn limits(&self) -> BatchLimits {
        BatchLimits { entries: 3, bytes: 100, calls: 1 }
    }

    fn convert(&self, event: Event, _: &Context) -> Result<String, Error> {
        if event.id() == "bad" { Err(Error::permanent("it is bad")) } else { Ok(event.id().to_owned()) }
    }

    fn size(&self, entry: &String) -> usize {
        if entry.starts_with("large") { 60 } else { 1 }
    }

    async fn handle(&self, entries: Vec<String>) -> Vec<Result<Reply, Error>> {
        self.calls.lock().expect("sound").push(entries.clone());
        self.open.notified().await;
        self.open.notify_one();
        assert!(!entries.contains(&"panic".to_owned()), "as asked");
        let result = |entry: String| {
            if entry.starts_with("no") { Err(Error::permanent(entry)) } else { Ok(Reply::Done) }
        };
        entries.into_iter().map(result).collect()
    }
}

/// Sends events one after the other without waiting, the first of which is on its way when the others come. Gives the
/// calls and who failed.
fn send(ids: &'static [&'static str]) -> (Vec<Vec<String>>, Vec<&'static str>) {
    let outcome = Arc::new(Mutex::new((Vec::new(), Vec::new())));
    let seen = Arc::clone(&outcome);
    on_runtime(async move {
        let target = Arc::new(Batched::<Outside>::new(Nothing {}).expect("a target"));
        let mut callers = Vec::new();
        for id in ids {
            let target = Arc::clone(&target);
            callers.push((id, worker::spawn(async move { handle(&target, id).await })));
            tokio::task::yield_now().await;
        }
        let inner = Arc::clone(&target.inner);
        eventually("the first call is out", || !inner.calls.lock().expect("sound").is_empty()).await;
        worker::sleep(Duration::from_millis(20)).await;
        inner.open.notify_one();
        for (id, caller) in callers {
            if caller.await.expect("no panic of a caller").is_err() {
                seen.lock().expect("sound").1.push(*id);
            }
        }
        seen.lock().expect("sound").0.clone_from(&inner.calls.lock().expect("sound"));
    });
    let outcome = outcome.lock().expect("sound");
    outcome.clone()
}

async fn handle(target: &Batched<Outside>, id: &str) -> Result<Reply, Error> {
    let event = Event::new(id, "/s", "t").expect("an event");
    let request = Request::new(()).into_parts().0;
    let context = Context { request, trace: Trace::default(), wants_reply: false, sink: None };
    target.handle(event, &context).await
}

#[test]
fn one_goes_at_once_and_the_rest_together() {
    let (calls, failed) = send(&["0", "1", "2", "3", "4"]);
    assert_eq!(calls, [vec!["0"], vec!["1", "2", "3"], vec!["4"]]);
    assert!(failed.is_empty());
}

#[test]
fn each_caller_gets_its_own_answer() {
    let (calls, failed) = send(&["0", "no1", "bad", "2", "no3"]);
    assert_eq!(calls, [vec!["0"], vec!["no1", "2", "no3"]]);
    assert_eq!(failed, ["no1", "bad", "no3"]);
}

#[test]
fn a_batch_is_no_larger_than_allowed() {
    let (calls, _) = send(&["0", "large1", "2", "large3"]);
    assert_eq!(calls, [vec!["0"], vec!["large1", "2"], vec!["large3"]]);
}

#[test]
fn a_call_that_panics_fails_its_own_callers_and_those_that_wait() {
    let (_, failed) = send(&["panic", "1"]);
    assert_eq!(failed, ["panic", "1"]);
}
