//! A scripted log of partitions with numbered records, a real sink on loopback.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::Log;
use crate::{
    Assignment, Error, Event, LogSource, Record,
    run::testing::{adapter, eventually, frame, ids, on_runtime},
    stop::{Stop, Stopper},
    worker,
};

/// A log whose partitions each have records 0 to `records`, whose keys are `k0`, `k1`, `k2` in turn.
struct Upstream {
    records: u64,
    changes: Mutex<VecDeque<Assignment<Partition>>>,
    read: AtomicUsize,
    commits: Mutex<Vec<BTreeMap<&'static str, u64>>>,
    failing_commits: AtomicUsize,
    closed: Mutex<Vec<&'static str>>,
}

struct Partition {
    name: &'static str,
    next: AtomicU64,
}

adapter!(Upstream);

impl LogSource for Upstream {
    type Partition = Partition;
    type Position = u64;

    async fn assignment(&self) -> Result<Assignment<Partition>, Error> {
        loop {
            if let Some(change) = self.changes.lock().expect("sound").pop_front() {
                return Ok(change);
            }
            worker::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn read(&self, partition: &Partition, max: usize) -> Result<Vec<Record<u64>>, Error> {
        let first = partition.next.load(Ordering::SeqCst);
        let end = self.records.min(first + max as u64);
        if first == end {
            return std::future::pending().await;
        }
        partition.next.store(end, Ordering::SeqCst);
        self.read.fetch_add((end - first) as usize, Ordering::SeqCst);
        let record = |position| Record {
            position,
            key: Some(format!("k{}", position % 3).into()),
            events: vec![Event::new(format!("{}{position}", partition.name), "/s", "t").expect("an event")],
            bytes: 1,
        };
        Ok((first..end).map(record).collect())
    }

    async fn commit(&self, positions: &[(Arc<Partition>, u64)]) -> Result<(), Error> {
        let failing = self.failing_commits.load(Ordering::SeqCst);
        if failing > 0 {
            self.failing_commits.store(failing - 1, Ordering::SeqCst);
            return Err(Error::retryable("down"));
        }
        let commit = positions.iter().map(|(partition, position)| (partition.name, *position)).collect();
        self.commits.lock().expect("sound").push(commit);
        Ok(())
    }

    async fn close(&self, partitions: Vec<Arc<Partition>>) {
        self.closed.lock().expect("sound").extend(partitions.iter().map(|partition| partition.name));
    }
}

struct Setting {
    upstream: Arc<Upstream>,
    sink: kit::Sink,
    stopper: Stopper,
    stop: Stop,
}

impl Setting {
    fn new(records: u64, names: &[&'static str]) -> Self {
        let (stopper, stop) = Stop::channel();
        let upstream = Upstream {
            records,
            changes: Mutex::default(),
            read: AtomicUsize::new(0),
            commits: Mutex::default(),
            failing_commits: AtomicUsize::new(0),
            closed: Mutex::default(),
        };
        let setting =
            Self { upstream: Arc::new(upstream), sink: kit::Sink::start().expect("a port"), stopper, stop };
        setting.assign(names);
        setting
    }

    fn assign(&self, names: &[&'static str]) {
        let partition =
            |name: &&'static str| ((*name).to_owned(), Partition { name, next: AtomicU64::new(0) });
        self.change(Assignment::Assigned(names.iter().map(partition).collect()));
    }

    fn change(&self, change: Assignment<Partition>) {
        self.upstream.changes.lock().expect("sound").push_back(change);
    }

    /// The stored positions.
    fn stored(&self) -> BTreeMap<&'static str, u64> {
        self.upstream.commits.lock().expect("sound").iter().flatten().map(|(name, at)| (*name, *at)).collect()
    }

    fn closed(&self) -> Vec<&'static str> {
        self.upstream.closed.lock().expect("sound").clone()
    }

    /// Runs the source while the steps are taken, then stops it.
    fn run(&self, settings: &[(&str, &str)], steps: impl AsyncFnOnce(&Self)) {
        on_runtime(async {
            let frame = frame(&self.sink, settings);
            let log = Log::new(&frame, Arc::clone(&self.upstream), self.stop.clone()).expect("a sink");
            let committing = worker::spawn(Arc::clone(&log).commit_always());
            let running = worker::spawn(log.run());
            steps(self).await;
            self.stopper.request();
            running.await.expect("no panic").expect("a good end");
            committing.abort();
        });
    }
}

#[test]
fn records_go_in_order_and_the_positions_follow() {
    let setting = Setting::new(50, &["a", "b"]);
    setting.run(&[], async |setting| {
        eventually("all are stored", || setting.stored() == BTreeMap::from([("a", 49), ("b", 49)])).await;
    });
    for name in ["a", "b"] {
        let ids: Vec<_> = ids(&setting.sink).into_iter().filter(|id| id.starts_with(name)).collect();
        assert_eq!(ids, (0..50).map(|number| format!("{name}{number}")).collect::<Vec<_>>());
    }
    assert_eq!(setting.closed().len(), 2);
}

#[test]
fn a_refused_record_holds_its_own_lane_only_and_is_never_skipped() {
    let setting = Setting::new(20, &["a", "b"]);
    setting
        .sink
        .route(|request| (request.headers.get("ce-id") == Some("a3")).then(|| kit::Reply::status(422)));
    setting.run(&[], async |setting| {
        let expected = BTreeMap::from([("a", 2), ("b", 19)]);
        eventually("b is through and a stands before 3", || setting.stored() == expected).await;
    });
    assert!(!ids(&setting.sink).contains(&"a4".to_owned()));
}

#[test]
fn a_refused_record_goes_to_the_dead_letter_sink_with_its_origin() {
    let setting = Setting::new(3, &["a"]);
    setting
        .sink
        .route(|request| (request.headers.get("ce-id") == Some("a1")).then(|| kit::Reply::status(422)));
    let dead = kit::Sink::start().expect("a port");
    setting.run(&[("DEAD_LETTER_SINK", &dead.url("/"))], async |setting| {
        eventually("all are stored", || setting.stored().get("a") == Some(&2)).await;
    });
    assert_eq!(dead.requests().remove(0).event().expect("an event").get("trestleorigin"), "a@1");
}

#[test]
fn reading_stops_at_what_may_be_in_flight_until_positions_are_stored() {
    let setting = Setting::new(40, &["a", "b"]);
    setting.upstream.failing_commits.store(4, Ordering::SeqCst);
    setting.run(&[("MAX_IN_FLIGHT", "8")], async |setting| {
        eventually("a commit failed", || setting.upstream.failing_commits.load(Ordering::SeqCst) < 4).await;
        eventually("eight are delivered", || setting.sink.count() == 8).await;
        worker::sleep(Duration::from_millis(50)).await;
        if setting.upstream.failing_commits.load(Ordering::SeqCst) > 0 {
            assert_eq!(setting.upstream.read.load(Ordering::SeqCst), 8);
        }
        eventually("all are stored", || setting.stored() == BTreeMap::from([("a", 39), ("b", 39)])).await;
    });
    assert_eq!(setting.sink.count(), 80);
}

#[test]
fn a_partition_that_comes_later_takes_no_more_than_is_left() {
    let setting = Setting::new(20, &["a"]);
    let gate = kit::Gate::new();
    setting.sink.always(kit::Reply::status(202).held(&gate));
    let settings = [("MAX_IN_FLIGHT", "8"), ("DELIVERY_ORDER", "none"), ("DELIVERY_PARALLELISM", "64")];
    setting.run(&settings, async |setting| {
        eventually("the first has it all", || setting.sink.count() == 8).await;
        setting.assign(&["b"]);
        eventually("one of the second is out", || setting.sink.count() == 9).await;
        worker::sleep(Duration::from_millis(50)).await;
        assert_eq!(setting.upstream.read.load(Ordering::SeqCst), 9);
        gate.open();
        eventually("all are stored", || setting.stored() == BTreeMap::from([("a", 19), ("b", 19)])).await;
    });
}

#[test]
fn keys_are_delivered_side_by_side_each_in_order_and_the_position_stands_before_the_gap() {
    let setting = Setting::new(30, &["a"]);
    let gate = kit::Gate::new();
    let held = gate.clone();
    setting.sink.route(move |request| {
        (request.headers.get("ce-id") == Some("a0")).then(|| kit::Reply::status(202).held(&held))
    });
    setting.run(&[("DELIVERY_ORDER", "key"), ("DELIVERY_PARALLELISM", "64")], async |setting| {
        // Keys k1 and k2 are through, k0 waits behind its first.
        eventually("two keys are through", || setting.sink.count() == 21).await;
        assert!(setting.stored().is_empty());
        gate.open();
        eventually("all are stored", || setting.stored().get("a") == Some(&29)).await;
    });
    for key in 0..3_u64 {
        let wanted: Vec<_> = (0..30_u64).filter(|n| n % 3 == key).map(|n| format!("a{n}")).collect();
        let ids: Vec<_> = ids(&setting.sink).into_iter().filter(|id| wanted.contains(id)).collect();
        assert_eq!(ids, wanted);
    }
}

#[test]
fn a_revoked_partition_finishes_what_it_began_is_stored_and_then_given_up() {
    let setting = Setting::new(20, &["a", "b"]);
    let gate = kit::Gate::new();
    let held = gate.clone();
    setting.sink.route(move |request| {
        (request.headers.get("ce-id") == Some("a5")).then(|| kit::Reply::status(202).held(&held))
    });
    setting.run(&[], async |setting| {
        eventually("a5 is out", || ids(&setting.sink).contains(&"a5".to_owned())).await;
        setting.change(Assignment::Revoked(vec!["a".to_owned()]));
        eventually("b is through", || setting.stored().get("b") == Some(&19)).await;
        assert!(setting.closed().is_empty());
        gate.open();
        eventually("a is given up", || setting.closed() == ["a"]).await;
        assert_eq!(setting.stored().get("a"), Some(&5));
    });
    assert!(!ids(&setting.sink).contains(&"a6".to_owned()));
}

#[test]
fn a_lost_partition_is_dropped_without_a_commit() {
    let setting = Setting::new(20, &["a"]);
    let gate = kit::Gate::new();
    setting.sink.always(kit::Reply::status(202).held(&gate));
    setting.run(&[], async |setting| {
        eventually("one is out", || setting.sink.count() == 1).await;
        setting.change(Assignment::Lost(vec!["a".to_owned()]));
        eventually("it is taken up", || setting.upstream.changes.lock().expect("sound").is_empty()).await;
        worker::sleep(Duration::from_millis(50)).await;
        gate.open();
    });
    assert!(setting.stored().is_empty() && setting.closed().is_empty());
}

#[test]
fn a_stop_while_the_sink_is_down_leaves_the_record() {
    let setting = Setting::new(5, &["a"]);
    setting.sink.script([kit::Reply::status(202)]);
    setting.sink.always(kit::Reply::status(503));
    setting.run(&[], async |setting| {
        eventually("the second was tried", || setting.sink.count() >= 2).await;
    });
    assert_eq!((setting.stored(), setting.closed()), (BTreeMap::from([("a", 0)]), vec!["a"]));
}
