//! Connections to the server that has the stream: the only one, or the node of a cluster that owns its slot.
//!
//! Facts: Redis Cluster, <https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/>: a node that does not
//! own a key answers `MOVED slot host:port`. All our keys are in one slot, so one node is enough.

use std::{
    future::Future,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use common::{Error, config::Secret, worker};
use http::StatusCode;
use redis::{
    AsyncConnectionConfig, ErrorKind, RedisConnectionInfo, RedisError, RedisResult,
    aio::MultiplexedConnection,
};
use tokio::{net::TcpStream, time::timeout};

use super::tls::Tls;

/// Time for a connection, and for one answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long it may fail before readiness says so.
const TOLERATED: Duration = Duration::from_secs(3);

/// How often a cluster may send us on.
const MOVES: usize = 5;

/// What is needed to connect, and what is known of the way.
#[derive(Debug)]
pub struct Servers {
    /// Where to begin.
    seeds: Vec<(String, u16)>,
    tls: Option<Tls>,
    user: Option<String>,
    password: Option<Secret>,
    database: u32,
    /// The key by which the node of a cluster is found.
    key: String,
    /// The node that had it last.
    owner: Mutex<Option<(String, u16)>>,
    /// Since when it fails, and how.
    failing: Mutex<Option<(Instant, String)>>,
    /// Requests that were made, each one a round trip.
    pub round_trips: AtomicU64,
}

/// One connection, made when it is needed and again after it failed.
#[derive(Debug)]
pub struct Client {
    pub servers: Arc<Servers>,
    connection: tokio::sync::Mutex<Option<Connection>>,
}

#[derive(Clone)]
struct Connection(MultiplexedConnection);

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

impl Servers {
    pub fn new(
        seeds: Vec<(String, u16)>,
        tls: Option<Tls>,
        (user, password): (Option<String>, Option<Secret>),
        database: u32,
        key: &str,
    ) -> Arc<Self> {
        Arc::new(Self {
            seeds,
            tls,
            user,
            password,
            database,
            key: key.to_owned(),
            owner: Mutex::default(),
            failing: Mutex::default(),
            round_trips: AtomicU64::new(0),
        })
    }

    /// Whether it works, or has not failed for long.
    pub fn is_ready(&self) -> bool {
        lock(&self.failing).as_ref().is_none_or(|(since, _)| since.elapsed() < TOLERATED)
    }

    /// How it fails.
    pub fn trouble(&self) -> Option<String> {
        lock(&self.failing).as_ref().map(|(_, reason)| reason.clone())
    }

    fn works(&self) {
        *lock(&self.failing) = None;
    }

    fn fails(&self, error: &RedisError) {
        let mut failing = lock(&self.failing);
        let since = failing.as_ref().map_or_else(Instant::now, |(since, _)| *since);
        *failing = Some((since, failure("reaching Redis", error).chain()));
    }

    /// A connection to who has the key.
    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let mut last = None;
        let owner = lock(&self.owner).take();
        for seed in owner.iter().chain(&self.seeds) {
            match self.find(seed.clone()).await {
                Ok(connection) => return Ok(connection),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| io::Error::other("no server is known").into()))
    }

    /// Goes where it is sent, from this node on.
    async fn find(&self, mut node: (String, u16)) -> RedisResult<MultiplexedConnection> {
        for _ in 0..MOVES {
            let mut connection = self.open(&node).await?;
            let asked = redis::cmd("XLEN").arg(&self.key).query_async::<u64>(&mut connection).await;
            match asked {
                Ok(_) => {
                    *lock(&self.owner) = Some(node);
                    return Ok(connection);
                }
                Err(error) => match error.redirect_node() {
                    // A node that does not know its own name means itself.
                    Some(("", port)) => node.1 = port,
                    Some((host, port)) => node = (host.to_owned(), port),
                    None => return Err(error),
                },
            }
        }
        Err(io::Error::other("the nodes of the cluster send us in circles").into())
    }

    async fn open(&self, (host, port): &(String, u16)) -> RedisResult<MultiplexedConnection> {
        let connecting = async {
            let tcp = TcpStream::connect((host.as_str(), *port)).await?;
            tcp.set_nodelay(true)?;
            match &self.tls {
                None => self.greet(tcp).await,
                Some(tls) => self.greet(tls.connect(host, tcp).await?).await,
            }
        };
        timeout(TIMEOUT, connecting).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// Logs in and keeps the connection going beside everything else.
    async fn greet<S>(&self, stream: S) -> RedisResult<MultiplexedConnection>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let mut settings =
            RedisConnectionInfo::default().set_db(i64::from(self.database)).set_skip_set_lib_name();
        if let Some(user) = &self.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password.read());
        }
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(TIMEOUT));
        let (connection, driver) = MultiplexedConnection::new_with_config(&settings, stream, config).await?;
        worker::spawn(driver);
        Ok(connection)
    }
}

impl Client {
    /// Nothing is connected yet.
    pub fn new(servers: &Arc<Servers>) -> Self {
        Self { servers: Arc::clone(servers), connection: tokio::sync::Mutex::default() }
    }

    /// Asks over the connection there is, or a new one. A connection that failed, or that leads to who has not got the key,
    /// is not used again.
    ///
    /// # Errors
    /// What the server or the library says.
    pub async fn ask<T, F>(&self, ask: impl FnOnce(MultiplexedConnection) -> F) -> RedisResult<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let answer = async {
            let connection = self.connection().await?;
            self.servers.round_trips.fetch_add(1, Relaxed);
            ask(connection).await
        };
        let answer = answer.await;
        if let Err(error) = &answer
            && ends_connection(error)
        {
            *self.connection.lock().await = None;
            self.servers.fails(error);
        } else {
            self.servers.works();
        }
        answer
    }

    async fn connection(&self) -> RedisResult<MultiplexedConnection> {
        // Held while connecting, so that all who need it wait for one.
        let mut held = self.connection.lock().await;
        match held.as_ref() {
            Some(Connection(connection)) => Ok(connection.clone()),
            None => {
                let connection = self.servers.connect().await?;
                Ok(held.insert(Connection(connection)).0.clone())
            }
        }
    }

    /// Forgets the connection, where an answer is on its way that nobody wants.
    pub async fn close(&self) {
        *self.connection.lock().await = None;
    }
}

/// Whether the server has said no to this one request, and would do what another one asks.
pub fn ends_connection(error: &RedisError) -> bool {
    const OTHERS: [&str; 10] = [
        "MOVED",
        "ASK",
        "TRYAGAIN",
        "CLUSTERDOWN",
        "MASTERDOWN",
        "READONLY",
        "LOADING",
        "NOAUTH",
        "WRONGPASS",
        "UNBLOCKED",
    ];
    error.code().is_none_or(|code| OTHERS.contains(&code))
}

/// A failure as the frame takes it. All of them pass: a rotated password, a full memory, a missing permission.
pub fn failure(what: &str, error: &RedisError) -> Error {
    // The text of the library may repeat what was sent, the password among it.
    let detail = error.code().unwrap_or(error.category());
    let message = match meaning(error) {
        Some(meaning) => format!("{what}: {meaning} ({detail})"),
        None => format!("{what}: {detail}"),
    };
    Error::retryable(message).with_status(StatusCode::SERVICE_UNAVAILABLE)
}

/// What it means for who runs the broker, in words that name the setting.
fn meaning(error: &RedisError) -> Option<&'static str> {
    Some(match error.code() {
        Some("WRONGPASS" | "NOAUTH") => "Redis refuses REDIS_USERNAME and REDIS_PASSWORD",
        Some("NOPERM") => "the user of REDIS_USERNAME may not do that",
        Some("OOM") => "Redis has no memory left",
        Some("MISCONF") => "Redis cannot write to its disk",
        Some("READONLY") => "REDIS_ADDRESS is a replica",
        None if error.kind() == ErrorKind::AuthenticationFailed => {
            "Redis refuses REDIS_USERNAME and REDIS_PASSWORD"
        }
        None if error.is_io_error() => {
            "REDIS_ADDRESS cannot be reached, or expects another REDIS_TLS_ENABLED"
        }
        _ => return None,
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
