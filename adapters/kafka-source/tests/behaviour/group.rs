//! Positions, and partitions that move between replicas.

use std::{collections::BTreeSet, thread, time::Duration};

use kit::{Captured, PATIENCE, Process, Reply, Request, ensure, eventually, within};
use peers::Kafka;

use crate::{Bridge, Named, Outcome, numbered};

pub const TRIALS: &[Named] = &[
    ("a new group begins at the latest record, which is stored at once", latest),
    ("partitions that come later are read from their beginning", growth),
    ("a position is stored only for what the sink has", positions),
    ("two replicas, one killed, one added: nothing is lost", replicas),
    ("a replica that stops hands its partitions over at once", handover),
    ("members of the original image are joined", range),
    ("a partition that is revoked drains first", draining),
];

fn latest(kafka: &Kafka) -> Outcome {
    let bridge = Bridge::new(kafka, 2)?;
    bridge.produce(&numbered(0..10, 2))?;
    let process = bridge.start(&[("START_POSITION", "latest")])?;
    bridge.committed(&[5, 5])?;
    // What comes while it is away is not skipped.
    drop(process);
    bridge.produce(&numbered(10..14, 2))?;
    let _process = bridge.start(&[("START_POSITION", "latest")])?;
    bridge.committed(&[7, 7])?;
    let found = numbers(&bridge.sink.requests());
    ensure(found == (10..14).collect(), || format!("{found:?}"))
}

fn growth(kafka: &Kafka) -> Outcome {
    let bridge = Bridge::new(kafka, 1)?;
    bridge.produce(&numbered(0..2, 1))?;
    let process = bridge.start(&[("START_POSITION", "latest")])?;
    bridge.committed(&[2])?;
    drop(process);
    kafka.grow_topic(&bridge.topic, 2)?;
    // Before anybody knows of the second.
    bridge.produce(&numbered(2..8, 2))?;
    let _process = bridge.start(&[("START_POSITION", "latest")])?;
    bridge.committed(&[5, 3])?;
    let found = numbers(&bridge.sink.requests());
    ensure(found == (2..8).collect(), || format!("{found:?}"))
}

fn positions(kafka: &Kafka) -> Outcome {
    let bridge = Bridge::new(kafka, 1)?;
    bridge.produce(&numbered(0..10, 1))?;
    bridge.sink.route(|request| {
        let number = request.text().parse::<usize>().unwrap_or_default();
        Some(Reply::status(if number < 6 { 202 } else { 503 }))
    });
    let process = bridge.start(&[])?;
    bridge.committed(&[6])?;
    bridge.sink.wait_for(8)?;
    drop(process);
    bridge.committed(&[6])?;
    bridge.sink.reset();
    bridge.sink.route(|_| None);
    let _process = bridge.start(&[])?;
    bridge.committed(&[10])?;
    let found = numbers(&bridge.sink.requests());
    ensure(found == (6..10).collect(), || format!("{found:?}"))
}

/// The numbers that the sink has accepted or been asked for.
fn numbers(requests: &[Captured]) -> BTreeSet<usize> {
    requests.iter().filter_map(|request| request.text().parse().ok()).collect()
}

fn complete(bridge: &Bridge<'_>, count: usize) -> Outcome {
    eventually(&format!("all {count} records"), || {
        (numbers(&bridge.sink.requests()).len() == count).then_some(())
    })
    .map_err(|error| {
        let found = numbers(&bridge.sink.requests());
        let missing: Vec<_> = (0..count).filter(|number| !found.contains(number)).take(20).collect();
        format!("{error}; missing: {missing:?}")
    })
}

/// The partitions that a replica has begun to read, as its log says.
fn read_by(process: &Process) -> Vec<String> {
    let lines = process.log().into_iter().filter(|line| line.field("message") == "reading a partition");
    lines.map(|line| line.field("partition").to_owned()).collect()
}

fn replicas(kafka: &Kafka) -> Outcome {
    const COUNT: usize = 6000;
    let bridge = Bridge::new(kafka, 6)?;
    // Slow enough that there is always something out.
    bridge.sink.always(Reply::status(202).after(Duration::from_millis(2)));
    let first = bridge.start(&[])?;
    let mut others = Vec::new();
    thread::scope(|scope| {
        let writing = scope.spawn(|| {
            (0..COUNT).step_by(200).try_for_each(|from| {
                // Never far ahead, so that partitions move while there is something to read.
                bridge.sink.wait_for(from.saturating_sub(600))?;
                bridge.produce(&numbered(from..from + 200, 6))
            })
        });
        bridge.sink.wait_for(500)?;
        others.push(bridge.start(&[])?);
        bridge.sink.wait_for(1500)?;
        others.push(bridge.start(&[])?);
        let before = bridge.sink.count();
        bridge.sink.wait_for(before + 300)?;
        // SIGKILL: its partitions come to the others when its session has ended.
        drop(first);
        writing.join().map_err(|_| "a panic".to_owned())?
    })?;
    complete(&bridge, COUNT)?;
    bridge.committed(&[1000; 6])?;
    let doubles = bridge.sink.count() - COUNT;
    // One kill; what moved in peace comes once.
    ensure(doubles <= 1000, || format!("{doubles} came twice"))?;
    // Cooperative: the second replica got its share and was not made to give it back to begin anew.
    let begun = read_by(&others[0]);
    let distinct: BTreeSet<_> = begun.iter().collect();
    ensure(!begun.is_empty() && begun.len() <= distinct.len() + 1, || format!("begun: {begun:?}"))
}

fn handover(kafka: &Kafka) -> Outcome {
    let bridge = Bridge::new(kafka, 2)?;
    // A session that is longer than the test's patience: only who leaves is missed.
    let settings = [("SESSION_TIMEOUT", "120s")];
    let mut first = bridge.start(&settings)?;
    bridge.produce(&numbered(0..20, 2))?;
    bridge.committed(&[10, 10])?;
    first.stop()?;
    let begun = std::time::Instant::now();
    let _second = bridge.start(&settings)?;
    bridge.produce(&numbered(20..40, 2))?;
    complete(&bridge, 40)?;
    ensure(bridge.sink.count() == 40, || format!("{} requests", bridge.sink.count()))?;
    ensure(begun.elapsed() < Duration::from_secs(30), || "it waited for the session".to_owned())
}

fn range(kafka: &Kafka) -> Outcome {
    let bridge = Bridge::new(kafka, 4)?;
    let old = bridge.start(&[("PARTITION_ASSIGNMENT", "range")])?;
    let mut new = bridge.start(&[])?;
    new.wait_for_line("the group has members that stop all when partitions move: so does this one now")?;
    bridge.produce(&numbered(0..400, 4))?;
    complete(&bridge, 400)?;
    drop(old);
    bridge.produce(&numbered(400..800, 4))?;
    complete(&bridge, 800)?;
    bridge.committed(&[200; 4])
}

fn draining(kafka: &Kafka) -> Outcome {
    let bridge = Bridge::new(kafka, 2)?;
    let gate = kit::Gate::new();
    let held = gate.clone();
    bridge.sink.route(move |_| Some(Reply::status(202).held(&held)));
    let mut first = bridge.start(&[])?;
    bridge.produce(&numbered(0..20, 2))?;
    bridge.sink.wait_for(2)?;
    let mut second = bridge.launch(&[])?;
    first.wait_for_line("partitions go to somebody else")?;
    // The second begins only when the first has what it sent accepted.
    ensure(read_by(&second).is_empty(), || "begun before the drain".to_owned())?;
    gate.open();
    bridge.sink.route(|_| None);
    second.wait_for_line("reading a partition")?;
    complete(&bridge, 20)?;
    bridge.committed(&[10, 10])?;
    ensure(bridge.sink.count() == 20, || format!("{} requests for 20 records", bridge.sink.count()))
}

/// A broker that is killed and comes back, and one that is away for longer.
pub fn outage() -> Outcome {
    let mut kafka = Kafka::start()?;
    let (topic, sink, mut process) = {
        let bridge = Bridge::new(&kafka, 2)?;
        let process = bridge.start(&[])?;
        bridge.produce(&numbered(0..20, 2))?;
        bridge.committed(&[10, 10])?;
        (bridge.topic, bridge.sink, process)
    };
    kafka.restart()?;
    kafka.produce(&topic, &numbered(20..40, 2))?;
    sink.wait_for(40)?;
    kafka.end();
    let address = process.address()?;
    // Half a minute is tolerated.
    within(PATIENCE * 2, "not ready without the broker", || {
        let answer = Request::get("/readyz").send(address).ok()?;
        (answer.status == 503).then_some(())
    })?;
    let output = process.output();
    ensure(output.contains("BOOTSTRAP_SERVERS"), || output.clone())?;
    ensure(output.lines().count() < 300, || format!("{} lines of log", output.lines().count()))?;
    // One that begins without a broker waits for it.
    let mut other = crate::launch(&kafka.plaintext(), &topic, &sink, &[])?;
    let line = other.wait_for_line("the first contact failed")?;
    ensure(line.field("reason").contains("BOOTSTRAP_SERVERS"), || line.text.clone())?;
    kafka.revive()?;
    kafka.produce(&topic, &numbered(40..60, 2))?;
    // What was delivered and not stored when the broker went comes again.
    within(PATIENCE * 2, "all records", || (numbers(&sink.requests()) == (0..60).collect()).then_some(()))
        .map_err(|failure| format!("{failure}: {:?}", numbers(&sink.requests())))?;
    process.wait_for_status("/readyz", 200)?;
    other.wait_for_status("/readyz", 200)?;
    ensure(process.exited().is_none(), || process.output())
}
