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

pub use published::{Calls, Published};

use crate::install;
use crate::server::{Server, free_port};

/// The sources of the server; a change of one builds it again.
const SOURCES: [&str; 5] = [
    include_str!("../go/pstest/deliveries.go"),
    include_str!("../go/pstest/account.go"),
    include_str!("../go/pstest/main.go"),
    include_str!("../go/pstest/go.mod"),
    include_str!("../go/pstest/go.sum"),
];

/// A running server.
pub struct Pstest {
    pub(crate) server: Server,
    control: SocketAddr,
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
        self.publish_to(Self::TOPIC, data, attributes, key)
    }

    /// The same for another topic.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn publish_to(
        &self,
        topic: &str,
        data: &[u8],
        attributes: &Value,
        key: &str,
    ) -> Result<String, Failure> {
        let message =
            json!({ "topic": topic, "data": STANDARD.encode(data), "attributes": attributes, "key": key });
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
        Ok(Calls::read(&self.command("/calls", &json!({}))?[method]))
    }

    /// Ends all streams with `UNAVAILABLE`, and says how many there were.
    ///
    /// # Errors
    /// When the server does not take it.
    pub fn break_streams(&self) -> Result<u64, Failure> {
        Ok(self.command("/break", &json!({}))?.as_u64().unwrap_or_default())
    }

    /// Makes a service account and gives the JSON text of its key.
    ///
    /// # Errors
    /// When the server does not take it.
    pub fn account(&self, email: &str) -> Result<String, Failure> {
        Ok(self.command("/account", &json!(email))?.to_string())
    }

    /// `header` and `claims` of a token that stands in an `authorization`, if an account has signed it.
    ///
    /// # Errors
    /// When it is none, or none has.
    pub fn verified(&self, authorization: &str) -> Result<Value, Failure> {
        self.command("/account/verify", &json!(authorization))
    }

    /// Lets messages whose stream has ended come again after this time, and not only when their deadline is over. The
    /// service knows no such thing, and a client that opens a new stream may still have them.
    ///
    /// # Errors
    /// When the server does not take it.
    pub fn abandon_after(&self, milliseconds: u64) -> Result<(), Failure> {
        self.command("/abandon", &json!(milliseconds)).map(drop)
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
