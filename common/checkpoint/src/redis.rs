//! Positions as hashes in Redis, compared and swapped by a script, which Redis runs alone.

use std::{future::Future, io, time::Duration};

use common::{
    Error,
    checkpoint::{Checkpoints, Pending, Record},
    http::client_config,
    worker,
};
use redis::{
    AsyncConnectionConfig, FromRedisValue, RedisError, RedisResult, Script, aio::MultiplexedConnection,
};
use rustls_pki_types::ServerName;
use tokio::{net::TcpStream, sync::Mutex, time::timeout};
use tokio_rustls::TlsConnector;

use crate::place::Server;

/// Time for a connection, and for one answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// KEYS: the record. ARGV: the version that is replaced or nothing, the new version, the value.
const SWAP: &str = r"
local version = redis.call('HGET', KEYS[1], 'version')
if (version or '') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'value', ARGV[3])
return 1";

/// A server, connected when it is needed.
pub struct Redis {
    server: Server,
    swap: Script,
    connection: Mutex<Option<MultiplexedConnection>>,
}

impl Redis {
    /// Nothing is connected yet.
    pub fn new(server: Server) -> Self {
        Self { server, swap: Script::new(SWAP), connection: Mutex::default() }
    }

    fn key(&self, key: &str) -> String {
        format!("{}:{key}", self.server.prefix)
    }

    /// Asks over the connection there is, or a new one. One that fails is not used again.
    async fn ask<T, F>(&self, what: &str, ask: impl FnOnce(MultiplexedConnection) -> F) -> Result<T, Error>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let mut held = self.connection.lock().await;
        let answer = async {
            let connection = match held.as_ref() {
                Some(connection) => connection.clone(),
                None => held.insert(self.connect().await?).clone(),
            };
            ask(connection).await
        };
        answer.await.map_err(|error: RedisError| {
            *held = None;
            // The text of the library may repeat what was sent, the password among it.
            let detail = error.code().map(str::to_owned).unwrap_or_else(|| error.category().to_owned());
            Error::retryable(format!("{what} in Redis: {detail}"))
        })
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let address = (self.server.host.trim_matches(['[', ']']), self.server.port);
        let connecting = async {
            let tcp = TcpStream::connect(address).await?;
            tcp.set_nodelay(true)?;
            let Some(roots) = &self.server.tls else { return self.greet(tcp).await };
            let config = client_config(roots).map_err(io::Error::other)?;
            let name = ServerName::try_from(address.0.to_owned()).map_err(io::Error::other)?;
            self.greet(TlsConnector::from(config).connect(name, tcp).await?).await
        };
        timeout(TIMEOUT, connecting).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// Logs in and keeps the connection going beside everything else.
    async fn greet<S>(&self, stream: S) -> RedisResult<MultiplexedConnection>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(TIMEOUT));
        let made = MultiplexedConnection::new_with_config(&self.server.settings, stream, config).await?;
        let (connection, driver) = made;
        worker::spawn(driver);
        Ok(connection)
    }

    async fn get(&self, key: &str) -> Result<Option<Record>, Error> {
        let mut command = redis::cmd("HMGET");
        command.arg(self.key(key)).arg("version").arg("value");
        let found: (Option<u64>, Option<String>) =
            self.ask("reading a position", |mut connection| async move {
                command.query_async(&mut connection).await
            })
            .await?;
        match found {
            (Some(version), Some(value)) => Ok(Some(Record { value, version })),
            (None, None) => Ok(None),
            _ => Err(Error::permanent("reading a position in Redis: the hash is not one of ours")),
        }
    }

    async fn put(&self, key: &str, version: Option<u64>, value: &str) -> Result<Option<Record>, Error> {
        let record = Record { value: value.to_owned(), version: version.unwrap_or_default() + 1 };
        let mut call = self.swap.key(self.key(key));
        call.arg(version.map(|version| version.to_string()).unwrap_or_default())
            .arg(record.version)
            .arg(value);
        let done: bool =
            self.ask("writing a position", |mut connection| async move {
                call.invoke_async(&mut connection).await
            })
            .await?;
        Ok(done.then_some(record))
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let (pattern, own) = (escape(&self.key(prefix)) + "*", self.key(""));
        let all: Vec<String> = self
            .ask("listing positions", |mut connection| async move {
                let mut all = Vec::new();
                let mut cursor = 0_u64;
                loop {
                    let mut scan = redis::cmd("SCAN");
                    scan.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(1000);
                    let (next, some) =
                        <(u64, Vec<String>)>::from_redis_value(scan.query_async(&mut connection).await?)?;
                    all.extend(some);
                    cursor = next;
                    if cursor == 0 {
                        return Ok(all);
                    }
                }
            })
            .await?;
        let mut keys: Vec<_> =
            all.iter().filter_map(|key| key.strip_prefix(&own)).map(str::to_owned).collect();
        keys.sort_unstable();
        // A scan may give a key twice.
        keys.dedup();
        Ok(keys)
    }
}

impl Checkpoints for Redis {
    fn load<'a>(&'a self, key: &'a str) -> Pending<'a, Option<Record>> {
        Box::pin(self.get(key))
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a str,
        version: Option<u64>,
        value: &'a str,
    ) -> Pending<'a, Option<Record>> {
        Box::pin(self.put(key, version, value))
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Pending<'a, Vec<String>> {
        Box::pin(self.keys(prefix))
    }
}

/// A text as a pattern that only it matches.
fn escape(text: &str) -> String {
    let special = |c: char| matches!(c, '*' | '?' | '[' | ']' | '\\' | '^' | '-');
    text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}
