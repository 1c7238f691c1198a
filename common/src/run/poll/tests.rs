//! Lanes between a scripted upstream, a real sink on loopback, and stores that fail.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::lane::Lane;
use crate::{
    Error, Event, Page, PollSource,
    checkpoint::{Checkpoints, Pending, Record},
    run::testing::{adapter, eventually, frame, ids, on_runtime},
    send::Outbox,
    stop::{Stop, Stopper},
    worker,
};

/// An upstream whose page after cursor n has event n+1, while there is one.
struct Upstream {
    last: u64,
    asked: Mutex<Vec<Option<String>>>,
}

adapter!(Upstream);

impl PollSource for Upstream {
    fn streams(&self) -> Vec<String> {
        vec!["s".to_owned()]
    }

    fn interval(&self) -> Duration {
        Duration::from_millis(1)
    }

    async fn poll(&self, _: &str, cursor: Option<&str>) -> Result<Page, Error> {
        self.asked.lock().expect("sound").push(cursor.map(str::to_owned));
        let number = cursor.map_or(0, |cursor| cursor.parse::<u64>().expect("our own cursor")) + 1;
        if number > self.last {
            return Ok(Page::default());
        }
        let event = |part| Event::new(format!("{number}{part}"), "/s", "t").expect("an event");
        Ok(Page { events: vec![event("a"), event("b")], next: Some(number.to_string()), more: true })
    }
}

/// A store in memory whose writes are answered as scripted: `false` fails.
#[derive(Default)]
struct Store {
    record: Mutex<Option<Record>>,
    writes: Mutex<VecDeque<bool>>,
}

impl Checkpoints for Store {
    fn load<'a>(&'a self, _: &'a str) -> Pending<'a, Option<Record>> {
        Box::pin(async { Ok(self.record.lock().expect("sound").clone()) })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a str,
        version: Option<u64>,
        value: &'a str,
    ) -> Pending<'a, Option<Record>> {
        Box::pin(async move {
            assert_eq!(key, "owner/s");
            if self.writes.lock().expect("sound").pop_front() == Some(false) {
                return Err(Error::retryable("the disk is full"));
            }
            let mut record = self.record.lock().expect("sound");
            if record.as_ref().map(|record| record.version) != version {
                return Ok(None);
            }
            let new = Record { value: value.to_owned(), version: version.unwrap_or_default() + 1 };
            *record = Some(new.clone());
            Ok(Some(new))
        })
    }

    fn list<'a>(&'a self, _: &'a str) -> Pending<'a, Vec<String>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

struct Setting {
    upstream: Arc<Upstream>,
    store: Arc<Store>,
    sink: kit::Sink,
    stopper: Stopper,
    stop: Stop,
}

impl Setting {
    fn new(last: u64) -> Self {
        let (stopper, stop) = Stop::channel();
        let upstream = Arc::new(Upstream { last, asked: Mutex::default() });
        Self { upstream, store: Arc::default(), sink: kit::Sink::start().expect("a port"), stopper, stop }
    }

    fn lane(&self) -> Lane<Upstream> {
        let frame = frame(&self.sink, &[]);
        let sink = frame.sink.clone().expect("a sink");
        Lane {
            adapter: Arc::clone(&self.upstream),
            health: Arc::clone(&frame.health),
            positions: self.store.clone(),
            key: "owner/s".to_owned(),
            stream: "s".to_owned(),
            outbox: Outbox::new(sink, self.stop.clone()),
            retry_after_max: Duration::from_secs(1),
            stop: self.stop.clone(),
        }
    }

    fn cursor(&self) -> Option<String> {
        self.store.record.lock().expect("sound").as_ref().map(|record| record.value.clone())
    }

    fn asked(&self) -> Vec<Option<String>> {
        self.upstream.asked.lock().expect("sound").clone()
    }

    /// Runs a lane until something holds, then stops it.
    fn run_until(&self, holds: impl Fn(&Self) -> bool) {
        on_runtime(async {
            let lane = worker::spawn(self.lane().run());
            eventually("the condition", || holds(self)).await;
            self.stopper.request();
            lane.await.expect("a lane that ends");
        });
    }
}

#[test]
fn pages_go_one_after_the_other_and_the_cursor_follows() {
    let setting = Setting::new(3);
    // Once the upstream was asked with the last cursor, that cursor is stored.
    setting.run_until(|setting| setting.asked().contains(&Some("3".to_owned())));
    assert_eq!(ids(&setting.sink), ["1a", "1b", "2a", "2b", "3a", "3b"]);
    assert_eq!(setting.cursor().as_deref(), Some("3"));
    assert_eq!(
        setting.asked()[..4],
        [None, Some("1"), Some("2"), Some("3")].map(|cursor| cursor.map(str::to_owned))
    );
}

#[test]
fn the_cursor_stays_until_every_event_of_the_page_was_accepted() {
    let setting = Setting::new(1);
    let gate = kit::Gate::new();
    setting.sink.script([
        kit::Reply::status(202),
        kit::Reply::status(503),
        kit::Reply::status(202).held(&gate),
    ]);
    on_runtime(async {
        let lane = worker::spawn(setting.lane().run());
        eventually("the condition", || ids(&setting.sink).len() == 3).await;
        assert_eq!(
            (setting.cursor(), setting.asked()),
            (None, vec![None]),
            "nothing moves while an event is out"
        );
        gate.open();
        eventually("the condition", || setting.cursor().is_some()).await;
        setting.stopper.request();
        lane.await.expect("a lane that ends");
    });
    assert_eq!(ids(&setting.sink), ["1a", "1b", "1b"]);
}

#[test]
fn a_stop_while_the_sink_is_down_leaves_the_page_upstream() {
    let setting = Setting::new(1);
    setting.sink.script([kit::Reply::status(202)]);
    setting.sink.always(kit::Reply::status(503));
    setting.run_until(|setting| ids(&setting.sink).len() >= 2);
    assert_eq!((setting.cursor(), setting.asked()), (None, vec![None]));
}

#[test]
fn a_store_that_fails_is_tried_again_and_nothing_is_sent_twice() {
    let setting = Setting::new(2);
    setting.store.writes.lock().expect("sound").extend([false, false, true, false]);
    setting.run_until(|setting| setting.cursor().as_deref() == Some("2"));
    assert_eq!(ids(&setting.sink), ["1a", "1b", "2a", "2b"]);
}

#[test]
fn a_record_that_somebody_else_changed_is_read_again() {
    let setting = Setting::new(9);
    let gate = kit::Gate::new();
    setting.sink.script([kit::Reply::status(202), kit::Reply::status(202).held(&gate)]);
    on_runtime(async {
        let lane = worker::spawn(setting.lane().run());
        eventually("the condition", || ids(&setting.sink).len() == 2).await;
        *setting.store.record.lock().expect("sound") = Some(Record { value: "8".to_owned(), version: 7 });
        gate.open();
        eventually("the condition", || setting.cursor().as_deref() == Some("9")).await;
        setting.stopper.request();
        lane.await.expect("a lane that ends");
    });
    assert_eq!(ids(&setting.sink), ["1a", "1b", "9a", "9b"]);
    assert_eq!(setting.store.record.lock().expect("sound").as_ref().map(|record| record.version), Some(8));
}
