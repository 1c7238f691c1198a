//! `pstest`, Google's own fake of Pub/Sub, behind a small server of ours (`go/pstest`) that adds credentials, limits and
//! faults. It speaks gRPC without TLS, and the REST of one call. What it does not do: an acknowledgement never fails for
//! coming too late, and ordered messages come one at a time.

mod published;

use std::cell::Cell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::{Engine, engine::general_purpose::STANDARD};
use kit::{Failure, eventually, http::Request};
use serde_json::{Value, json};

pub use published::Published;

use crate::install;
use crate::server::{Server, free_port};

/// The sources of the server; a change of one builds it again.
const SOURCES: [&str; 3] = [
    include_str!("../go/pstest/main.go"),
    include_str!("../go/pstest/go.mod"),
    include_str!("../go/pstest/go.sum"),
];

/// A running server.
pub struct Pstest {
    server: Server,
    control: SocketAddr,
}

/// What the server has seen of the calls of one method.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// How many.
    pub count: u64,
    /// `authorization` of the last one.
    pub authorization: String,
    /// How many were done without being said to be.
    pub unconfirmed: u64,
    /// How many messages the last `StreamingPull` wants to hold, and how many bytes.
    pub max_outstanding: (u64, u64),
    /// The deadline that it wants, in seconds.
    pub ack_deadline: u64,
}

impl Pstest {
    /// A topic for one who needs only one.
    pub const TOPIC: &str = "projects/p/topics/t";
    /// A subscription of it.
    pub const SUBSCRIPTION: &str = "projects/p/subscriptions/s";

    /// Starts one without topics.
    ///
    /// # Errors
    /// When it cannot be built or started.
    pub fn start() -> Result<Self, Failure> {
        let program = program()?;
        let control = Cell::new(0);
        let server = Server::start(|port, _| {
            control.set(free_port()?);
            let mut command = Command::new(&program);
            command.args(["-port", &port.to_string(), "-control", &control.get().to_string()]);
            Ok(command)
        })?;
        Ok(Self { server, control: SocketAddr::from(([127, 0, 0, 1], control.get())) })
    }

    /// Starts one with [`TOPIC`](Self::TOPIC) and [`SUBSCRIPTION`](Self::SUBSCRIPTION).
    ///
    /// # Errors
    /// When it cannot be built or started.
    pub fn with_subscription() -> Result<Self, Failure> {
        let peer = Self::start()?;
        peer.topic(Self::TOPIC)?;
        peer.subscribe(Self::SUBSCRIPTION, Self::TOPIC, &json!({}))?;
        Ok(peer)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The value for `PUBSUB_EMULATOR_HOST`.
    #[must_use]
    pub fn emulator(&self) -> String {
        self.address().to_string()
    }

    /// Makes a topic.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn topic(&self, name: &str) -> Result<(), Failure> {
        self.command("/topic", &json!(name)).map(drop)
    }

    /// Deletes a topic; its subscriptions stay.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn delete_topic(&self, name: &str) -> Result<(), Failure> {
        self.command("/topic/delete", &json!(name)).map(drop)
    }

    /// Makes a subscription. `options`: `ordering`, `exactly_once`, `ack_deadline` (seconds), `dead_letter` (a topic) and
    /// `attempts`.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn subscribe(&self, name: &str, topic: &str, options: &Value) -> Result<(), Failure> {
        let mut wanted = options.clone();
        wanted["name"] = json!(name);
        wanted["topic"] = json!(topic);
        self.command("/subscription", &wanted).map(drop)
    }

    /// Deletes a subscription; streams that are open on it stay open and bring nothing.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn delete_subscription(&self, name: &str) -> Result<(), Failure> {
        self.command("/subscription/delete", &json!(name)).map(drop)
    }

    /// Publishes a message and gives its id.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn publish(&self, data: &[u8], attributes: &Value, key: &str) -> Result<String, Failure> {
        let message = json!({ "topic": Self::TOPIC, "data": STANDARD.encode(data), "attributes": attributes, "key": key });
        let ids = self.command("/publish", &message)?;
        ids[0].as_str().map(str::to_owned).ok_or_else(|| format!("no id in {ids}"))
    }

    /// Publishes that many messages, `{n}` in the text being their number from 0.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn publish_many(&self, count: usize, text: &str, key: &str) -> Result<(), Failure> {
        let message =
            json!({ "topic": Self::TOPIC, "data": STANDARD.encode(text), "key": key, "count": count });
        self.command("/publish", &message).map(drop)
    }

    /// All messages that were ever published.
    ///
    /// # Errors
    /// When the server does not tell.
    pub fn messages(&self) -> Result<Vec<Published>, Failure> {
        let messages = self.command("/messages", &json!({}))?;
        messages.as_array().into_iter().flatten().map(Published::read).collect()
    }

    /// Waits until every message was acknowledged.
    ///
    /// # Errors
    /// When that does not happen.
    pub fn wait_for_acks(&self, count: usize) -> Result<Vec<Published>, Failure> {
        eventually(&format!("{count} acknowledged messages"), || {
            self.messages().ok().filter(|all| all.iter().filter(|message| message.acks > 0).count() >= count)
        })
    }

    /// Lets the next `times` calls of a method fail with a code (`NOT_FOUND`); -1 is all from now on, 0 none any more.
    ///
    /// # Errors
    /// When the server does not take it.
    pub fn fail(&self, method: &str, code: &str, times: i64) -> Result<(), Failure> {
        let text = format!("said by the peer: {code}");
        self.faults(&json!([{ "method": method, "code": code, "times": times, "text": text }]))
    }

    /// The same, but the calls are done, and only their answer is a failure.
    ///
    /// # Errors
    /// When the server does not take it.
    pub fn fail_after(&self, method: &str, code: &str, times: i64) -> Result<(), Failure> {
        self.faults(
            &json!([{ "method": method, "code": code, "times": times, "text": "too late", "after": true }]),
        )
    }

    /// Lets the next `times` calls of a method have no answer.
    ///
    /// # Errors
    /// When the server does not take it.
    pub fn hang(&self, method: &str, times: i64) -> Result<(), Failure> {
        self.faults(&json!([{ "method": method, "times": times, "hang": true }]))
    }

    /// Fails a third of the calls of a method, by an error mostly and sometimes by no answer, and loses the answer to a
    /// twentieth of the others.
    ///
    /// # Errors
    /// When the server does not take it.
    pub fn flaky(&self, method: &str) -> Result<(), Failure> {
        let fault = |one_in: u32, how: &str, code: &str| json!({ "method": method, "times": -1, "one_in": one_in, how: true, "code": code, "text": "by chance" });
        self.faults(&json!([
            fault(36, "hang", ""),
            fault(3, "before", "UNAVAILABLE"),
            fault(20, "after", "INTERNAL")
        ]))
    }

    fn faults(&self, faults: &Value) -> Result<(), Failure> {
        self.command("/fail", faults).map(drop)
    }

    /// Refuses all calls that have not this `authorization`.
    ///
    /// # Errors
    /// When the server does not take it.
    pub fn require(&self, authorization: &str) -> Result<(), Failure> {
        self.command("/require", &json!(authorization)).map(drop)
    }

    /// What was seen of a method.
    ///
    /// # Errors
    /// When the server does not tell.
    pub fn calls(&self, method: &str) -> Result<Calls, Failure> {
        let calls = self.command("/calls", &json!({}))?;
        let seen = &calls[method];
        let number = |name: &str| seen[name].as_u64().unwrap_or_default();
        Ok(Calls {
            count: number("count"),
            authorization: seen["authorization"].as_str().unwrap_or_default().to_owned(),
            unconfirmed: number("unconfirmed"),
            max_outstanding: (number("max_messages"), number("max_bytes")),
            ack_deadline: number("ack_deadline"),
        })
    }

    /// Ends all streams with `UNAVAILABLE`, and says how many there were.
    ///
    /// # Errors
    /// When the server does not take it.
    pub fn break_streams(&self) -> Result<u64, Failure> {
        Ok(self.command("/break", &json!({}))?.as_u64().unwrap_or_default())
    }

    fn command(&self, path: &str, input: &Value) -> Result<Value, Failure> {
        let answer = Request::post(path).json(input).send(self.control);
        let answer = answer.map_err(|error| format!("{path}: {error}"))?;
        if !answer.is_success() {
            return Err(format!("{path}: {}", answer.text()));
        }
        serde_json::from_slice(&answer.body).map_err(|error| format!("{path}: {error}"))
    }
}

/// The server, built when its sources are others than before.
fn program() -> Result<PathBuf, Failure> {
    let mut hasher = DefaultHasher::new();
    SOURCES.hash(&mut hasher);
    install::built("pstest", &format!("{:016x}", hasher.finish()), |building| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("go/pstest");
        let mut build = Command::new("go");
        build.args(["build", "-buildvcs=false", "-mod=readonly", "-o"]).arg(building.join("pstest")).arg(".");
        install::run(build.current_dir(source))
    })
}
