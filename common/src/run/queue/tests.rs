//! A scripted queue, a real sink on loopback.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::Queue;
use crate::{
    Error, Event, Message, QueueLimits, QueueSource,
    run::testing::{adapter, eventually, frame, ids, on_runtime},
    stop::{Stop, Stopper},
    worker,
};

/// A queue in memory.
#[derive(Default)]
struct Upstream {
    lease: Option<Duration>,
    size: usize,
    /// Names; what stands before a hyphen is the group.
    messages: Mutex<VecDeque<(&'static str, u32)>>,
    acknowledged: Mutex<Vec<Vec<&'static str>>>,
    released: Mutex<Vec<(&'static str, u64)>>,
    extended: Mutex<Vec<&'static str>>,
    /// Results of the next calls of `acknowledge`, of all their receipts; successes when there are none.
    answers: Mutex<VecDeque<Result<(), bool>>>,
    leases_are_lost: AtomicBool,
    asked: AtomicUsize,
}

adapter!(Upstream);

impl QueueSource for Upstream {
    type Receipt = &'static str;

    fn limits(&self) -> QueueLimits {
        QueueLimits { acknowledge_batch: 4, lease: self.lease, ..QueueLimits::default() }
    }

    /// Never waits.
    async fn receive(&self, max: usize) -> Result<Vec<Message<&'static str>>, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let taken: Vec<_> = {
            let mut messages = self.messages.lock().expect("sound");
            let count = max.min(messages.len());
            messages.drain(..count).collect()
        };
        Ok(taken.into_iter().map(|(name, receives)| self.message(name, receives)).collect())
    }

    async fn acknowledge(&self, receipts: &[&'static str]) -> Vec<Result<(), Error>> {
        let answer = self.answers.lock().expect("sound").pop_front().unwrap_or(Ok(()));
        if answer.is_ok() {
            self.acknowledged.lock().expect("sound").push(receipts.to_vec());
        }
        let error = |permanent| if permanent { Error::permanent("gone") } else { Error::retryable("down") };
        receipts.iter().map(|_| answer.map_err(error)).collect()
    }

    async fn extend(&self, receipts: &[&'static str]) -> Vec<Result<(), Error>> {
        self.extended.lock().expect("sound").extend(receipts);
        let lost = self.leases_are_lost.load(Ordering::SeqCst);
        receipts.iter().map(|_| if lost { Err(Error::permanent("lost")) } else { Ok(()) }).collect()
    }

    async fn release(&self, receipts: &[&'static str], after: Duration) {
        let mut released = self.released.lock().expect("sound");
        released.extend(receipts.iter().map(|receipt| (*receipt, after.as_secs())));
    }
}

impl Upstream {
    fn message(&self, name: &'static str, receives: u32) -> Message<&'static str> {
        Message {
            name: name.into(),
            events: vec![Event::new(name, "/s", "t").expect("an event")],
            receipt: name,
            group: name.split_once('-').map(|(group, _)| group.into()),
            receives: Some(receives),
            bytes: self.size,
        }
    }

    fn acknowledged(&self) -> Vec<&'static str> {
        let mut all = self.acknowledged.lock().expect("sound").concat();
        all.sort_unstable();
        all
    }

    fn released(&self) -> Vec<(&'static str, u64)> {
        self.released.lock().expect("sound").clone()
    }
}

struct Setting {
    upstream: Arc<Upstream>,
    sink: kit::Sink,
    stopper: Stopper,
    stop: Stop,
}

impl Setting {
    fn new(names: &[&'static str]) -> Self {
        Self::with(Upstream::default(), names)
    }

    fn with(upstream: Upstream, names: &[&'static str]) -> Self {
        let (stopper, stop) = Stop::channel();
        *upstream.messages.lock().expect("sound") = names.iter().map(|name| (*name, 1)).collect();
        Self { upstream: Arc::new(upstream), sink: kit::Sink::start().expect("a port"), stopper, stop }
    }

    /// Runs the source until something holds, then stops it.
    fn run_until(&self, settings: &[(&str, &str)], what: &str, holds: impl Fn(&Self) -> bool) {
        on_runtime(async {
            let frame = frame(&self.sink, settings);
            let queue = Queue::new(&frame, Arc::clone(&self.upstream), self.stop.clone()).expect("a sink");
            let running = worker::spawn(queue.run());
            eventually(what, || holds(self)).await;
            self.stopper.request();
            running.await.expect("no panic").expect("a good end");
        });
    }
}

const TEN: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

#[test]
fn every_message_is_delivered_and_acknowledged_in_batches() {
    let setting = Setting::new(&TEN);
    setting.run_until(&[], "all are acknowledged", |setting| setting.upstream.acknowledged().len() == 10);
    let mut ids = ids(&setting.sink);
    ids.sort_unstable();
    assert_eq!((ids, setting.upstream.acknowledged()), (TEN.map(str::to_owned).to_vec(), TEN.to_vec()));
    let batches = setting.upstream.acknowledged.lock().expect("sound").clone();
    assert!(batches.iter().all(|batch| batch.len() <= 4) && batches.len() < 10, "{batches:?}");
    assert!(setting.upstream.released().is_empty());
}

#[test]
fn nothing_is_acknowledged_before_the_sink_has_it_and_no_more_are_received_than_may_be_in_flight() {
    let setting = Setting::new(&TEN);
    let gate = kit::Gate::new();
    setting.sink.always(kit::Reply::status(202).held(&gate));
    on_runtime(async {
        let frame = frame(&setting.sink, &[("MAX_IN_FLIGHT", "4")]);
        let queue = Queue::new(&frame, Arc::clone(&setting.upstream), setting.stop.clone()).expect("a sink");
        let running = worker::spawn(queue.run());
        eventually("four are out", || setting.sink.count() == 4).await;
        worker::sleep(Duration::from_millis(100)).await;
        assert_eq!((setting.sink.count(), setting.upstream.acknowledged().len()), (4, 0));
        gate.open();
        eventually("all are acknowledged", || setting.upstream.acknowledged().len() == 10).await;
        setting.stopper.request();
        running.await.expect("no panic").expect("a good end");
    });
}

#[test]
fn an_empty_queue_that_answers_at_once_is_asked_five_times_a_second() {
    let (setting, begun) = (Setting::new(&[]), Instant::now());
    setting.run_until(&[], "a second is over", |_| begun.elapsed() > Duration::from_secs(1));
    let (asked, took) = (setting.upstream.asked.load(Ordering::SeqCst), begun.elapsed());
    assert!(asked as u128 <= 1 + took.as_millis() / 200, "{asked} times in {took:?}");
}

#[test]
fn bytes_in_flight_are_bounded_too() {
    let setting = Setting::with(Upstream { size: 40_000, ..Upstream::default() }, &TEN);
    let gate = kit::Gate::new();
    setting.sink.always(kit::Reply::status(202).held(&gate));
    let settings = [("MAX_IN_FLIGHT", "2"), ("MAX_IN_FLIGHT_BYTES", "65536")];
    setting.run_until(&settings, "two are out", |setting| {
        let two = setting.sink.count() == 2;
        if two {
            gate.open();
        }
        two
    });
}

#[test]
fn a_group_keeps_its_order_while_others_go_on() {
    static FAILED: AtomicBool = AtomicBool::new(false);
    let setting = Setting::new(&["a-1", "a-2", "b-1", "a-3"]);
    setting.sink.route(|request| {
        let failed = request.headers.get("ce-id") == Some("a-1");
        // The first attempt of a-1 only.
        (failed && !FAILED.swap(true, Ordering::SeqCst)).then(|| kit::Reply::status(503))
    });
    setting.run_until(&[], "all are acknowledged", |setting| setting.upstream.acknowledged().len() == 4);
    let group: Vec<_> = ids(&setting.sink).into_iter().filter(|id| id.starts_with('a')).collect();
    assert_eq!(group, ["a-1", "a-1", "a-2", "a-3"]);
}

#[test]
fn a_refused_message_stays_in_the_queue_for_a_growing_time_and_its_group_behind_it() {
    let setting = Setting::new(&["a-1", "a-2", "a-3", "0"]);
    setting.upstream.messages.lock().expect("sound")[0].1 = 3;
    setting
        .sink
        .route(|request| (request.headers.get("ce-id") == Some("a-1")).then(|| kit::Reply::status(400)));
    setting.run_until(&[], "three are back", |setting| {
        setting.upstream.released().len() == 3 && setting.upstream.acknowledged().len() == 1
    });
    assert_eq!(setting.upstream.released(), [("a-3", 0), ("a-2", 0), ("a-1", 120)]);
    assert_eq!(setting.upstream.acknowledged(), ["0"]);
}

#[test]
fn a_refused_message_goes_to_the_dead_letter_sink_with_its_origin() {
    let setting = Setting::new(&["0"]);
    setting.sink.script([kit::Reply::status(422)]);
    let dead = kit::Sink::start().expect("a port");
    setting.run_until(&[("DEAD_LETTER_SINK", &dead.url("/"))], "it is acknowledged", |setting| {
        setting.upstream.acknowledged() == ["0"]
    });
    let letter = dead.requests().remove(0).event().expect("an event");
    assert_eq!((letter.get("trestleorigin"), letter.get("knativeerrorcode")), ("0", "422"));
}

#[test]
fn a_lease_is_extended_while_the_sink_is_slow() {
    let lease = Some(Duration::from_secs(3));
    let setting = Setting::with(Upstream { lease, ..Upstream::default() }, &["0", "1"]);
    let gate = kit::Gate::new();
    setting.sink.always(kit::Reply::status(202).held(&gate));
    setting.run_until(&[], "both are acknowledged", |setting| {
        if setting.upstream.extended.lock().expect("sound").len() >= 8 {
            gate.open();
        }
        setting.upstream.acknowledged() == ["0", "1"]
    });
    assert_eq!(setting.sink.count(), 2);
}

#[test]
fn a_message_whose_lease_is_lost_is_not_sent_again() {
    let lease = Some(Duration::from_secs(3));
    let setting = Setting::with(Upstream { lease, ..Upstream::default() }, &["a-1", "a-2"]);
    setting.upstream.leases_are_lost.store(true, Ordering::SeqCst);
    let gate = kit::Gate::new();
    setting.sink.always(kit::Reply::status(503).held(&gate));
    on_runtime(async {
        let frame = frame(&setting.sink, &[]);
        let queue = Queue::new(&frame, Arc::clone(&setting.upstream), setting.stop.clone()).expect("a sink");
        let running = worker::spawn(Arc::clone(&queue).run());
        eventually("the leases are lost", || setting.upstream.extended.lock().expect("sound").len() >= 2)
            .await;
        gate.open();
        eventually("none is in flight", || queue.leases.unfinished().is_empty()).await;
        setting.stopper.request();
        running.await.expect("no panic").expect("a good end");
    });
    assert_eq!(ids(&setting.sink), ["a-1"]);
    assert!(setting.upstream.released().is_empty() && setting.upstream.acknowledged().is_empty());
}

#[test]
fn a_stop_while_the_sink_is_down_hands_everything_back() {
    let setting = Setting::new(&["0", "1", "a-1", "a-2"]);
    setting.sink.always(kit::Reply::status(503));
    setting.run_until(&[], "three were tried", |setting| setting.sink.count() >= 3);
    let mut released: Vec<_> = setting.upstream.released().into_iter().map(|(name, _)| name).collect();
    assert!(
        released.iter().position(|name| *name == "a-2") < released.iter().position(|name| *name == "a-1")
    );
    released.sort_unstable();
    assert_eq!(released, ["0", "1", "a-1", "a-2"]);
    assert!(setting.upstream.acknowledged().is_empty());
}

#[test]
fn an_acknowledgement_that_fails_is_tried_again() {
    let setting = Setting::new(&["0"]);
    setting.upstream.answers.lock().expect("sound").extend([Err(false), Err(false)]);
    setting.run_until(&[], "it is acknowledged", |setting| setting.upstream.acknowledged() == ["0"]);
    assert_eq!(ids(&setting.sink), ["0"]);
}

#[test]
fn a_receipt_that_is_gone_is_left() {
    let setting = Setting::new(&["0", "1", "2", "3", "4", "5"]);
    setting.upstream.answers.lock().expect("sound").push_back(Err(true));
    setting.run_until(&[], "the second batch is acknowledged", |setting| {
        setting.upstream.acknowledged().len() == 2
    });
}
