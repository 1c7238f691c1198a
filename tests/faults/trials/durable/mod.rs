//! Brokers whose events outlive them, between callers that send an event again until it is answered 2xx and a target that
//! fails a third of the time: killed, one of two of them killed, and what keeps the events killed.

mod kafka;
mod redis;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use kit::{Example, Failure, PATIENCE, Process, ensure, within};
use libtest_mimic::Trial;

use crate::flaky::{Flaky, Manner, lock};
use crate::report::Report;

/// Events that are answered 2xx, at least.
const EVENTS: usize = 5_000;
/// Callers, each with a key of its own: the events of a key are sent one after the other.
const CALLERS: usize = 16;
/// Deliveries that are out at once.
const CONCURRENCY: usize = 32;
/// What a trigger may have read and not acknowledged.
const IN_FLIGHT: usize = 64;
/// Entries that were delivered and are on their way to be acknowledged.
const ACKNOWLEDGED: usize = 128;

/// What keeps the events of a broker.
pub trait Log: Sized {
    /// The broker.
    const ADAPTER: &'static str;
    /// How its own death is told.
    const RESTARTED: &'static str;

    /// A new one.
    fn start() -> Result<Self, Failure>;

    /// What a broker needs to know of it.
    fn environment(&self) -> Vec<(&'static str, String)>;

    /// Kills it (SIGKILL) and starts it again after a while.
    fn restart(&mut self, pause: Duration) -> Result<(), Failure>;

    /// How many entries the trigger `all` has not got, and how many it has not done with.
    fn left(&self) -> Result<(u64, u64), Failure>;
}

/// What happens.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    /// The one broker is killed.
    Killed,
    /// One of two is.
    OneOfTwo,
    /// What keeps the events is.
    Restarted,
}

impl Fate {
    /// How often.
    fn times(self) -> usize {
        match self {
            Self::Killed => 22,
            Self::OneOfTwo => 10,
            Self::Restarted => 6,
        }
    }
}

pub fn trials(seed: u64) -> Vec<Trial> {
    [of::<redis::OfRedis>(seed), of::<kafka::OfKafka>(seed)].into_iter().flatten().collect()
}

/// The trials of one broker.
fn of<L: Log>(seed: u64) -> Vec<Trial> {
    let all = [
        (Fate::Killed, "killed"),
        (Fate::OneOfTwo, "one of two killed"),
        (Fate::Restarted, "what keeps its events killed"),
    ];
    all.map(|(fate, words)| {
        Trial::test(format!("{} loses nothing, {words}", L::ADAPTER), move || Ok(trial::<L>(fate, seed)?))
    })
    .into()
}

fn trial<L: Log>(fate: Fate, seed: u64) -> Result<(), Failure> {
    let mut random = Rng::with_seed(seed);
    let manner = Manner { yes: kit::Reply::status(202), no: vec![kit::Reply::status(503)], mute: Some(50) };
    let target = Flaky::start_as(random.u64(..), manner)?;
    let mut scene = Scene { log: L::start()?, url: target.sink.url("/"), names: 0 };
    let mut processes = vec![scene.process(fate)?];
    if fate == Fate::OneOfTwo {
        processes.push(scene.process(fate)?);
    }
    let callers = Callers::new(&mut processes)?;
    thread::scope(|scope| {
        for key in 0..CALLERS {
            let callers = &callers;
            scope.spawn(move || callers.call(key));
        }
        let kills = (1..=fate.times()).try_for_each(|kill| {
            callers.wait_for(kill * EVENTS / (fate.times() + 1))?;
            thread::sleep(Duration::from_micros(random.u64(..50_000)));
            if fate == Fate::Restarted {
                return scene.log.restart(Duration::from_millis(random.u64(..500)));
            }
            let place = random.usize(..processes.len());
            // SIGKILL, and the end of the process, before the next one is there.
            drop(processes.remove(place));
            processes.push(scene.process(fate)?);
            callers.find(&mut processes)
        });
        let end = kills.and_then(|()| callers.wait_for(EVENTS));
        callers.done.store(true, Ordering::SeqCst);
        end
    })?;
    let taken = callers.taken.into_inner().unwrap_or_default();
    finish(&scene, fate, processes, &taken, &target, seed)
}

/// What a broker is started from.
struct Scene<L> {
    log: L,
    url: String,
    names: usize,
}

impl<L: Log> Scene<L> {
    /// One more process. Where there are two, each has a name of its own, as a pod has: nobody comes back for what it left.
    fn process(&mut self, fate: Fate) -> Result<Process, Failure> {
        if fate == Fate::OneOfTwo {
            self.names += 1;
        }
        let document = format!(
            "triggers: {{all: {{target: {{url: '{}'}}, deliveryOptions: {{retry: 1000, backoffPolicy: constant, \
             backoffDelay: 20ms, timeout: PT1S, concurrency: {CONCURRENCY}, orderBy: partitionkey}}}}}}",
            self.url
        );
        let mut environment = self.log.environment();
        environment.push(("BROKER_CONFIG", document));
        environment.push(("BROKER_NAME", format!("broker-{}", self.names)));
        environment.push(("BROKER_MAX_IN_FLIGHT", IN_FLIGHT.to_string()));
        environment.push(("DRAIN_SECONDS", "0".to_owned()));
        let mut process = Process::start(L::ADAPTER, &["start"], &environment)?;
        process.wait_for_status("/readyz", 200)?;
        Ok(process)
    }
}

/// What the callers see.
struct Callers {
    /// Where brokers are now.
    addresses: Mutex<Vec<SocketAddr>>,
    done: AtomicBool,
    /// Numbers of the events that were answered 2xx.
    taken: Mutex<Vec<usize>>,
    /// Requests that were answered by nobody: the event may be in the log all the same.
    unsure: Mutex<usize>,
}

impl Callers {
    fn new(processes: &mut [Process]) -> Result<Self, Failure> {
        let callers = Self {
            addresses: Mutex::default(),
            done: AtomicBool::new(false),
            taken: Mutex::default(),
            unsure: Mutex::default(),
        };
        callers.find(processes)?;
        Ok(callers)
    }

    fn find(&self, processes: &mut [Process]) -> Result<(), Failure> {
        *lock(&self.addresses) = processes.iter_mut().map(Process::address).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Sends one event of a key after the other, each until it is answered 2xx.
    fn call(&self, key: usize) {
        let mut random = Rng::new();
        let mut number = key;
        while !self.done.load(Ordering::SeqCst) {
            let request = Example::new("com.example.event", "text/plain", number.to_string());
            let request = request.binary(number as u64).header("ce-partitionkey", &key.to_string());
            while !self.done.load(Ordering::SeqCst) {
                let address = random.choice(lock(&self.addresses).iter().copied());
                let answer = address.map(|address| request.send(address));
                if matches!(&answer, Some(Ok(answer)) if answer.is_success()) {
                    lock(&self.taken).push(number);
                    break;
                }
                *lock(&self.unsure) += 1;
                thread::sleep(Duration::from_millis(10));
            }
            number += CALLERS;
        }
    }

    /// Waits until so many events have been answered 2xx.
    fn wait_for(&self, count: usize) -> Result<(), Failure> {
        let taken = || lock(&self.taken).len();
        within(PATIENCE * 4, "events that are taken", || (taken() >= count).then_some(()))
            .map_err(|why| format!("{why}: {} of {count}", taken()))
    }
}

/// Waits until all has arrived and is acknowledged, ends the brokers in peace and judges.
fn finish<L: Log>(
    scene: &Scene<L>,
    fate: Fate,
    mut processes: Vec<Process>,
    taken: &[usize],
    target: &Flaky,
    seed: u64,
) -> Result<(), Failure> {
    let output = |processes: &[Process]| {
        processes.iter().map(|process| process.output()).collect::<Vec<_>>().join("\n---\n")
    };
    let arrived = || target.accepted().into_iter().collect::<BTreeSet<_>>();
    let all = within(PATIENCE * 6, "every event at the target", || {
        // Not in every moment: thousands of them are looked through.
        thread::sleep(Duration::from_millis(100));
        let arrived = arrived();
        taken.iter().all(|number| arrived.contains(&number.to_string())).then_some(())
    });
    let settled = within(PATIENCE * 2, "nothing pending", || {
        scene.log.left().is_ok_and(|left| left == (0, 0)).then_some(())
    });
    let left = scene.log.left()?;
    for process in &mut processes {
        process.stop()?;
    }
    let counts = target.counts();
    let lost: Vec<_> = taken.iter().filter(|number| !counts.contains_key(&number.to_string())).collect();
    let report = Report {
        adapter: L::ADAPTER,
        fate: match fate {
            Fate::Killed => "killed at random",
            Fate::OneOfTwo => "one of two killed at random",
            Fate::Restarted => L::RESTARTED,
        },
        kills: fate.times(),
        taken: taken.len(),
        lost: lost.len(),
        duplicates: counts.values().map(|count| count - 1).sum(),
        for_each_kill: IN_FLIGHT + ACKNOWLEDGED + CALLERS,
        // What the target took without a word comes again.
        unconfirmed: target.unconfirmed(),
        seed,
    };
    report.print()?;
    ensure(lost.is_empty(), || format!("lost: {lost:?}\n{}", output(&processes)))?;
    all?;
    settled.map_err(|why| format!("{why}: {left:?} are left\n{}", output(&processes)))?;
    ordered(&target.accepted())
}

/// Whether the events of each key arrived in the order in which they were sent, as often as they came.
fn ordered(accepted: &[String]) -> Result<(), Failure> {
    let mut firsts = BTreeMap::<usize, Vec<usize>>::new();
    let mut known = BTreeSet::new();
    for number in accepted.iter().filter_map(|body| body.parse::<usize>().ok()) {
        if known.insert(number) {
            firsts.entry(number % CALLERS).or_default().push(number);
        }
    }
    for (key, numbers) in firsts {
        ensure(numbers.is_sorted(), || format!("key {key} is out of order: {numbers:?}"))?;
    }
    Ok(())
}
