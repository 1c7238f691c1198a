//! A scripted HTTP peer on loopback: the sink of a source, the destination of a target, the upstream of a poll.

mod relay;
mod reply;
mod serve;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rustls::ServerConfig;
use socket2::{Domain, Socket, Type};

use crate::tls::Authority;
use crate::wire::Headers;
use crate::{Event, Failure, eventually};

pub use reply::{Gate, Reply};

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Captured {
    /// The method.
    pub method: String,
    /// Path and query, verbatim.
    pub path: String,
    /// Fields in order.
    pub headers: Headers,
    /// The body, de-chunked.
    pub body: Vec<u8>,
    /// When it was complete.
    pub at: Instant,
}

impl Captured {
    /// The event it carries, read strictly.
    ///
    /// # Errors
    /// The rule of the specification that is broken.
    pub fn event(&self) -> Result<Event, Failure> {
        Event::read(&self.headers, &self.body).map_err(|error| format!("{error}, in {self:?}"))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

type Route = Box<dyn Fn(&Captured) -> Option<Reply> + Send>;

/// What the peer does, and what it saw.
struct State {
    script: std::collections::VecDeque<Reply>,
    otherwise: Reply,
    route: Option<Route>,
    peer: Option<SocketAddr>,
    seen: Vec<Captured>,
    failed_handshakes: usize,
    closed: bool,
}

struct Shared {
    state: Mutex<State>,
    tls: Option<Arc<ServerConfig>>,
}

impl Shared {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The peer. Answers 202 with an empty body until told otherwise; every request is recorded before it is answered.
pub struct Sink {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Bound and not yet listening: connections are refused, and nobody else can take the port.
    reserved: Mutex<Option<Socket>>,
}

impl Sink {
    /// Starts one.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> Result<Self, Failure> {
        let sink = Self::reserve(None)?;
        sink.open()?;
        Ok(sink)
    }

    /// Starts one that speaks TLS, with a certificate of this authority.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start_tls(authority: &Authority) -> Result<Self, Failure> {
        let sink = Self::reserve(Some(authority.issue()?.config()))?;
        sink.open()?;
        Ok(sink)
    }

    /// Holds an address where every connection is refused until [`open`](Self::open).
    ///
    /// # Errors
    /// When no port is free.
    pub fn refusing() -> Result<Self, Failure> {
        Self::reserve(None)
    }

    fn reserve(tls: Option<Arc<ServerConfig>>) -> Result<Self, Failure> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).map_err(|error| error.to_string())?;
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        socket.bind(&any.into()).map_err(|error| error.to_string())?;
        let address = socket.local_addr().ok().and_then(|address| address.as_socket()).ok_or("no address")?;
        let state = State {
            script: Default::default(),
            otherwise: Reply::status(202),
            route: None,
            peer: None,
            seen: Vec::new(),
            failed_handshakes: 0,
            closed: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), tls });
        Ok(Self { address, shared, reserved: Mutex::new(Some(socket)) })
    }

    /// Begins to accept connections.
    ///
    /// # Errors
    /// When the port cannot be listened on.
    pub fn open(&self) -> Result<(), Failure> {
        let reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(socket) = reserved else { return Ok(()) };
        socket.listen(1024).map_err(|error| error.to_string())?;
        serve::accept(socket.into(), Arc::clone(&self.shared));
        Ok(())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL with this path and query.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address)
    }

    /// The next requests get these replies, in order, whatever their path; what [`route`](Self::route) answers is not counted.
    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.with(|state| state.script = replies.into_iter().collect());
    }

    /// Every request that the script leaves gets this reply.
    pub fn always(&self, reply: Reply) {
        self.shared.with(|state| state.otherwise = reply);
    }

    /// A fake of a real service: what it answers goes before script and default.
    pub fn route(&self, route: impl Fn(&Captured) -> Option<Reply> + Send + 'static) {
        self.shared.with(|state| state.route = Some(Box::new(route)));
    }

    /// Stands before a real peer and sees all that passes: where it would answer a plain 202, the peer is asked.
    pub fn stand_before(&self, peer: SocketAddr) {
        self.shared.with(|state| state.peer = Some(peer));
    }

    /// Everything that arrived, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Captured> {
        self.shared.with(|state| state.seen.clone())
    }

    /// How many requests arrived.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shared.with(|state| state.seen.len())
    }

    /// Waits for so many requests in all.
    ///
    /// # Errors
    /// When they do not come.
    pub fn wait_for(&self, count: usize) -> Result<Vec<Captured>, Failure> {
        eventually(&format!("{count} requests at the sink"), || {
            (self.count() >= count).then(|| self.requests())
        })
        .map_err(|error| format!("{error}; there were {}", self.count()))
    }

    /// Waits for so many events in all, refused attempts too.
    ///
    /// # Errors
    /// When they do not come, or what came is no event.
    pub fn events(&self, count: usize) -> Result<Vec<Event>, Failure> {
        self.wait_for(count)?.iter().map(Captured::event).collect()
    }

    /// Waits for so many events in all, and gives the last of them.
    ///
    /// # Errors
    /// When they do not come, or the last is no event.
    pub fn last(&self, count: usize) -> Result<Event, Failure> {
        self.wait_for(count)?.last().ok_or("nothing came")?.event()
    }

    /// Forgets what arrived and what was scripted, and answers 202 again.
    pub fn reset(&self) {
        self.restart([]);
    }

    /// Forgets what arrived, and scripts these replies for what arrives from now on, then 202. One step: nothing arrives
    /// between, not even from a source that sends by itself.
    pub fn restart(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.with(|state| {
            state.seen.clear();
            state.script = replies.into_iter().collect();
            state.otherwise = Reply::status(202);
        });
    }

    /// How many connections failed before their first request because of TLS.
    #[must_use]
    pub fn failed_handshakes(&self) -> usize {
        self.shared.with(|state| state.failed_handshakes)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.with(|state| state.closed = true);
        // Wakes the acceptor, which then sees that it is over.
        let _ = std::net::TcpStream::connect(self.address);
    }
}
