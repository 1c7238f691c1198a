//! One request, one answer, within one time-out and one size.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::Full;
#[expect(clippy::disallowed_types, reason = "this is the one HTTP client of the tree")]
use hyper_util::client::legacy::Client as Pool;
use hyper_util::{
    client::proxy::matcher::Matcher,
    rt::{TokioExecutor, TokioTimer},
};

use tokio::time::{Instant, timeout_at};

use super::{
    Roots,
    answer::{Refusal, Room, beginning},
    connector::{BoxError, Connector},
    process,
    tls::Trust,
};
use crate::worker;

/// Idle connections that are kept for one host.
const MAX_IDLE: usize = 256;
/// How long an idle connection is kept; below the usual keep-alive of servers, so that they seldom close first.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);
/// Largest head of an answer, and most that is read at once of its body: each connection may hold as much.
const MAX_HEAD: usize = 64 << 10;

/// How much of an answer that is no success is read: what is shown of it, and what a dead letter keeps, is far less.
const ERROR_BYTES: usize = 64 << 10;

/// A pooled HTTP/1.1 client. Cloning shares the pools; each runtime of the process has its own.
#[derive(Clone)]
#[expect(clippy::disallowed_types, reason = "this is the one HTTP client of the tree")]
pub struct Client {
    pools: Arc<[Pool<Connector, Full<Bytes>>]>,
    proxy: Option<Arc<Matcher>>,
    room: Arc<Room>,
}

/// Why there is no complete answer.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct ClientError {
    /// What went wrong.
    pub problem: Problem,
    /// The status of the answer, where it had come before things went wrong.
    pub status: Option<StatusCode>,
    source: Option<BoxError>,
}

/// What can go wrong on the way to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The connection could not be made, or broke.
    #[error("the connection failed")]
    Connection,
    /// No complete answer within the time-out.
    #[error("no complete answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// The body of the answer is larger than allowed.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

impl ClientError {
    fn connection(status: Option<StatusCode>, error: BoxError) -> Self {
        Self { problem: Problem::Connection, status, source: Some(error) }
    }

    /// The error and its causes on one line.
    #[must_use]
    pub fn chain(&self) -> String {
        crate::error::chain(self)
    }
}

impl Client {
    /// A client; nothing is connected yet.
    #[must_use]
    pub fn new(roots: Roots) -> Self {
        Self::with_proxy(roots, process().use_proxy.then(proxies).flatten())
    }

    /// A client that asks no proxy, whatever the environment says: for addresses of this machine.
    #[must_use]
    pub fn direct(roots: Roots) -> Self {
        Self::with_proxy(roots, None)
    }

    fn with_proxy(roots: Roots, proxy: Option<Arc<Matcher>>) -> Self {
        let tls = Arc::new(Trust::new(roots));
        let pools = (0..worker::count())
            .map(|_| {
                #[expect(clippy::disallowed_types, reason = "this is the one HTTP client of the tree")]
                Pool::builder(TokioExecutor::new())
                    .timer(TokioTimer::new())
                    .http1_max_buf_size(MAX_HEAD)
                    .pool_timer(TokioTimer::new())
                    .pool_idle_timeout(IDLE_TIMEOUT)
                    .pool_max_idle_per_host(MAX_IDLE)
                    .build(Connector::new(Arc::clone(&tls), proxy.clone()))
            })
            .collect();
        Self { pools, proxy, room: Arc::new(Room::new()) }
    }

    /// Sends a request and collects the answer, of any status; of one that is no success only the beginning of the body.
    /// Redirects are answers like any other. Large answers share a bounded room, in which one may have to wait for another.
    ///
    /// # Errors
    /// When there is no complete answer of at most `limit` bytes within `timeout`.
    pub async fn send(
        &self,
        mut request: Request<Bytes>,
        timeout: Duration,
        limit: usize,
    ) -> Result<Response<Bytes>, ClientError> {
        if let Some(credentials) = self.proxy_credentials(request.uri()) {
            request.headers_mut().insert(header::PROXY_AUTHORIZATION, credentials);
        }
        let pool = self.pools.get(worker::current()).or_else(|| self.pools.first());
        let pool = pool.ok_or_else(|| ClientError::connection(None, "the client has no runtime".into()))?;
        let deadline = Instant::now() + timeout;
        let timed_out = |status| ClientError { problem: Problem::TimedOut(timeout), status, source: None };
        let response = match timeout_at(deadline, pool.request(request.map(Full::new))).await {
            Ok(result) => result.map_err(|error| ClientError::connection(None, error.into()))?,
            Err(_) => return Err(timed_out(None)),
        };
        let (parts, body) = response.into_parts();
        let status = Some(parts.status);
        let reading = async {
            if parts.status.is_success() {
                self.room.whole(body, limit).await
            } else {
                beginning(body, limit.min(ERROR_BYTES)).await
            }
        };
        let body = match timeout_at(deadline, reading).await {
            Ok(Ok(body)) => body,
            Ok(Err(Refusal::TooLarge)) => {
                return Err(ClientError { problem: Problem::TooLarge(limit), status, source: None });
            }
            Ok(Err(Refusal::Broken(error))) => return Err(ClientError::connection(status, error.into())),
            Err(_) => return Err(timed_out(status)),
        };
        Ok(Response::from_parts(parts, body))
    }

    /// Credentials for a proxy of a plain request; for TLS they go into the tunnel's own request.
    fn proxy_credentials(&self, uri: &Uri) -> Option<HeaderValue> {
        let matcher = self.proxy.as_ref()?;
        if uri.scheme() == Some(&http::uri::Scheme::HTTPS) {
            return None;
        }
        matcher.intercept(uri)?.basic_auth().cloned()
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// The proxies of the environment, if it names any: asking the matcher on every request is then saved.
#[expect(
    clippy::disallowed_methods,
    reason = "the names are those of every HTTP client, not settings of an adapter"
)]
fn proxies() -> Option<Arc<Matcher>> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let any = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        .into_iter()
        .any(set);
    any.then(|| Arc::new(Matcher::from_env()))
}
