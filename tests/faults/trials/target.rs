//! Targets between callers that send an event again until it is answered 2xx, and a far side that fails, and that does not
//! always manage to say that it has accepted: no 2xx without the record there.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use kit::{Example, Failure, PATIENCE, Process, Reply, ensure};
use serde_json::json;

use crate::flaky::{Flaky, Manner, lock};
use crate::report::Report;

const KILLS: usize = 24;
const CALLERS: usize = 4;
/// Of so many accepted requests one is not answered.
const MUTE: u32 = 20;

/// One target and its far side; the body that arrives there is the data of the event.
pub struct Subject {
    pub adapter: &'static str,
    environment: fn(&Flaky) -> Vec<(&'static str, String)>,
    /// The n-th event.
    example: fn(usize) -> Example,
    manner: fn() -> Manner,
}

pub const SUBJECTS: [Subject; 2] = [
    Subject {
        adapter: "http-target",
        environment: |endpoint| {
            vec![
                ("HTTP_EVENT_TYPE", "com.example.answer".to_owned()),
                ("HTTP_EVENT_SOURCE", "/faults".to_owned()),
                ("HTTP_URL", endpoint.sink.url("/")),
                ("HTTP_METHOD", "POST".to_owned()),
                ("HTTP_TIMEOUT", "2s".to_owned()),
            ]
        },
        example: |number| Example::new("com.example.event", "text/plain", number.to_string()),
        manner: || Manner { yes: Reply::status(202), no: vec![Reply::status(503)], mute: Some(MUTE) },
    },
    Subject {
        adapter: "slack-target",
        environment: |slack| {
            vec![
                ("SLACK_TOKEN", "xoxb-faults".to_owned()),
                ("SLACK_API_URL", slack.sink.url("/api")),
                ("SLACK_TIMEOUT", "2s".to_owned()),
            ]
        },
        example: |number| {
            let arguments = json!({"channel": "C1", "text": number.to_string()});
            Example::json("com.slack.webapi.chat.postMessage", &arguments)
        },
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
];

/// What the callers see.
struct Callers<'a> {
    subject: &'a Subject,
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
    let environment: Vec<_> =
        (subject.environment)(&endpoint).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let start = || Process::start(subject.adapter, &[], &environment);
    let mut process = start()?;
    let callers = Callers {
        subject,
        address: Mutex::new(process.address()?),
        next: AtomicUsize::new(0),
        done: AtomicBool::new(false),
        taken: Mutex::default(),
    };
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| callers.call());
        }
        let kills = (0..KILLS).try_for_each(|_| {
            endpoint.wait_for_a_request(PATIENCE);
            thread::sleep(Duration::from_micros(random.u64(..200_000)));
            let next = start()?;
            // SIGKILL, and the end of the process.
            drop(std::mem::replace(&mut process, next));
            *lock(&callers.address) = process.address()?;
            Ok::<_, Failure>(())
        });
        callers.done.store(true, Ordering::SeqCst);
        kills
    })?;
    callers.judge(&endpoint, seed)
}

impl Callers<'_> {
    /// Sends one event after the other, each until it is answered 2xx.
    fn call(&self) {
        while !self.done.load(Ordering::SeqCst) {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            let request = (self.subject.example)(number).binary(number as u64);
            while !self.done.load(Ordering::SeqCst) {
                let address = *lock(&self.address);
                if request.send(address).is_ok_and(|answer| answer.is_success()) {
                    lock(&self.taken).push(number);
                    break;
                }
                thread::sleep(Duration::from_millis(5));
            }
        }
    }

    fn judge(&self, endpoint: &Flaky, seed: u64) -> Result<(), Failure> {
        let (taken, counts) = (lock(&self.taken), endpoint.counts());
        let body = |number: usize| String::from_utf8_lossy(&(self.subject.example)(number).data).into_owned();
        let lost: Vec<_> = taken.iter().filter(|number| !counts.contains_key(&body(**number))).collect();
        let report = Report {
            adapter: self.subject.adapter,
            kills: KILLS,
            taken: taken.len(),
            lost: lost.len(),
            duplicates: counts.values().map(|count| count - 1).sum(),
            for_each_kill: CALLERS,
            unconfirmed: endpoint.unconfirmed(),
            seed,
        };
        report.print()?;
        ensure(lost.is_empty(), || format!("lost: {lost:?}"))
    }
}
