//! Adapters that are called, between callers that send an event again until it is answered 2xx, and a far side that fails, and
//! that does not always manage to say that it has accepted: no 2xx without the record there.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use kit::{Example, Failure, PATIENCE, Process, Reply, Request, ensure, within};
use peers::Slack;
use serde_json::json;

use crate::flaky::{Flaky, Manner, lock};
use crate::report::Report;

pub const KILLS: usize = 24;
/// Events that are answered 2xx by the last kill.
const TAKEN: usize = 2000;
pub const CALLERS: usize = 16;
/// Of so many accepted requests one is not answered.
const MUTE: u32 = 20;

/// One adapter and its far side, which tells requests apart by their bodies.
pub struct Subject {
    pub adapter: &'static str,
    environment: fn(&Flaky) -> Vec<(&'static str, String)>,
    /// The request with the n-th event.
    request: fn(usize) -> Request,
    /// The body that arrives for it.
    body: fn(usize) -> String,
    manner: fn() -> Manner,
}

pub const SUBJECTS: [Subject; 3] = [
    Subject {
        adapter: "http-target",
        environment: |endpoint| {
            vec![
                ("HTTP_EVENT_TYPE", "com.example.answer".to_owned()),
                ("HTTP_EVENT_SOURCE", "/faults".to_owned()),
                ("HTTP_URL", endpoint.sink.url("/")),
                ("HTTP_METHOD", "POST".to_owned()),
                ("HTTP_TIMEOUT", "1s".to_owned()),
            ]
        },
        request: |number| {
            Example::new("com.example.event", "text/plain", number.to_string()).binary(number as u64)
        },
        body: |number| number.to_string(),
        manner: || Manner { yes: Reply::status(202), no: vec![Reply::status(503)], mute: Some(MUTE) },
    },
    Subject {
        adapter: "slack-target",
        environment: |slack| {
            vec![
                ("SLACK_TOKEN", "xoxb-faults".to_owned()),
                ("SLACK_API_URL", slack.sink.url("/api")),
                ("SLACK_TIMEOUT", "1s".to_owned()),
            ]
        },
        request: |number| {
            let arguments = json!({"channel": "C1", "text": number.to_string()});
            Example::json("com.slack.webapi.chat.postMessage", &arguments).binary(number as u64)
        },
        body: |number| json!({"channel": "C1", "text": number.to_string()}).to_string(),
        manner: || Manner {
            yes: Reply::json(&json!({"ok": true, "channel": "C1", "ts": "1503435956.000247"})),
            no: vec![
                Reply::json(&json!({"ok": false, "error": "internal_error"})),
                Reply::status(429).header("Retry-After", "1"),
                Reply::status(503),
            ],
            mute: Some(MUTE),
        },
    },
    Subject {
        adapter: "slack-source",
        environment: |sink| {
            vec![
                ("SLACK_SIGNING_SECRET", Slack::SIGNING_SECRET.to_owned()),
                ("K_SINK", sink.sink.url("/")),
                ("K_SINK_TIMEOUT", "1".to_owned()),
            ]
        },
        request: |number| {
            let event = json!({"type": "message", "text": number.to_string()});
            Slack::request(&Slack::callback(&format!("Ev{number}"), &event))
        },
        body: |number| format!(r#"{{"text":"{number}","type":"message"}}"#),
        manner: || Manner { yes: Reply::status(202), no: vec![Reply::status(503)], mute: Some(MUTE) },
    },
];

/// What the callers see.
pub struct Callers {
    request: fn(usize) -> Request,
    /// Where the target is now.
    address: Mutex<SocketAddr>,
    next: AtomicUsize,
    done: AtomicBool,
    /// Numbers of the events that were answered 2xx.
    taken: Mutex<Vec<usize>>,
}

pub fn trial(subject: &Subject, seed: u64) -> Result<(), Failure> {
    let mut random = Rng::with_seed(seed);
    let endpoint = Flaky::start_as(random.u64(..), (subject.manner)())?;
    let environment = (subject.environment)(&endpoint);
    let wait = || endpoint.wait_for_a_request(PATIENCE);
    let taken = taken(subject.adapter, &environment, subject.request, wait, &mut random)?;
    judge(subject, &taken, &endpoint, seed)
}

/// Kills an adapter again and again while callers send events, and gives the numbers of those that were answered 2xx.
pub fn taken(
    adapter: &str,
    environment: &[(&str, String)],
    request: fn(usize) -> Request,
    wait_for_a_request: impl Fn(),
    random: &mut Rng,
) -> Result<Vec<usize>, Failure> {
    let start = || Process::start(adapter, &[], environment);
    let mut process = start()?;
    let callers = Callers::new(request, process.address()?);
    callers.during(|| {
        (1..=KILLS).try_for_each(|kill| {
            callers.wait_for(kill * TAKEN / KILLS)?;
            wait_for_a_request();
            thread::sleep(Duration::from_micros(random.u64(..20_000)));
            let next = start()?;
            // SIGKILL, and the end of the process.
            drop(std::mem::replace(&mut process, next));
            *lock(&callers.address) = process.address()?;
            Ok::<_, Failure>(())
        })
    })?;
    Ok(callers.into_taken())
}

impl Callers {
    /// Callers of who listens there, with this for the n-th event.
    pub fn new(request: fn(usize) -> Request, address: SocketAddr) -> Self {
        Self {
            request,
            address: Mutex::new(address),
            next: AtomicUsize::new(0),
            done: AtomicBool::new(false),
            taken: Mutex::default(),
        }
    }

    /// Lets them call until this has happened.
    pub fn during<T>(&self, what: impl FnOnce() -> T) -> T {
        self.done.store(false, Ordering::SeqCst);
        thread::scope(|scope| {
            for _ in 0..CALLERS {
                scope.spawn(|| self.call());
            }
            let result = what();
            self.done.store(true, Ordering::SeqCst);
            result
        })
    }

    /// Numbers of the events that were answered 2xx.
    pub fn into_taken(self) -> Vec<usize> {
        self.taken.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends one event after the other, each until it is answered 2xx.
    fn call(&self) {
        while !self.done.load(Ordering::SeqCst) {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            while !self.done.load(Ordering::SeqCst) {
                let address = *lock(&self.address);
                // Made anew each time: a signature grows old.
                let request = (self.request)(number);
                if request.send(address).is_ok_and(|answer| answer.is_success()) {
                    lock(&self.taken).push(number);
                    break;
                }
                thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Waits until so many events have been answered 2xx.
    pub fn wait_for(&self, count: usize) -> Result<(), Failure> {
        let taken = || lock(&self.taken).len();
        within(PATIENCE * 2, "events that are taken", || (taken() >= count).then_some(()))
            .map_err(|why| format!("{why}: {} of {count}", taken()))
    }
}

fn judge(subject: &Subject, taken: &[usize], endpoint: &Flaky, seed: u64) -> Result<(), Failure> {
    let counts = endpoint.counts();
    let is_lost = |number: &&usize| !counts.contains_key(&(subject.body)(**number));
    let lost: Vec<_> = taken.iter().filter(is_lost).collect();
    let report = Report {
        adapter: subject.adapter,
        fate: "killed at random",
        kills: KILLS,
        taken: taken.len(),
        lost: lost.len(),
        duplicates: counts.values().map(|count| count - 1).sum(),
        for_each_kill: CALLERS,
        unconfirmed: endpoint.unconfirmed(),
        seed,
    };
    report.print()?;
    ensure(lost.is_empty(), || format!("lost: {lost:?}"))?;
    same_ids(endpoint)
}

/// What comes twice can be told by its id, where it has any.
fn same_ids(endpoint: &Flaky) -> Result<(), Failure> {
    let mut ids = BTreeMap::new();
    for request in endpoint.requests() {
        let id = request.headers.get("ce-id").map(str::to_owned);
        let known = ids.entry(request.body.clone()).or_insert_with(|| id.clone());
        ensure(*known == id, || format!("{} came as {known:?} and as {id:?}", request.text()))?;
    }
    Ok(())
}
