//! Redis under the measurement: a server for the run, and streams.

mod floor;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use peers::{Redis, free_port};

use crate::around::{Surroundings, broker_document, own};
use crate::cli::Failure;
use crate::subject::Subject;

pub use floor::serve;

/// How often the broker may not answer before it is thought to be gone.
const PATIENCE: u32 = 10;

/// So many entries stay, of floor and candidate.
pub const KEPT: &str = "10000";

/// A server on loopback that keeps all in memory.
pub struct Streams {
    redis: Redis,
    streams: AtomicU64,
    /// What the broker has told last: requests that it made, and events that it delivered.
    told: Arc<Mutex<(f64, f64)>>,
}

impl Streams {
    /// Starts one; it ends with this.
    pub fn start() -> Result<Self, Failure> {
        Ok(Self { redis: Redis::start()?, streams: AtomicU64::new(0), told: Arc::default() })
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        self.redis.address().to_string()
    }

    /// The name of a new stream.
    pub fn stream(&self) -> String {
        format!("bench-{}", self.streams.fetch_add(1, Ordering::Relaxed))
    }
}

/// The broker with one trigger.
pub fn broker(around: &Surroundings, url: &str) -> Result<Subject, Failure> {
    let streams = around.streams()?;
    let port = free_port()?;
    let told = Arc::clone(&streams.told);
    thread::Builder::new().name("metrics".into()).spawn(move || listen(port, &told))?;
    let settings = [
        ("BROKER_CONFIG", broker_document(1, url)),
        ("METRICS_PROMETHEUS_PORT", port.to_string()),
        ("REDIS_ADDRESS", streams.address()),
        ("REDIS_PASSWORD", Redis::PASSWORD.to_owned()),
        ("REDIS_STREAM", streams.stream()),
        ("REDIS_STREAM_MAX_LEN", KEPT.to_owned()),
    ];
    around.adapter("redis-broker", &settings)
}

/// This program's own.
pub fn floor(around: &Surroundings, url: &str) -> Result<Subject, Failure> {
    let streams = around.streams()?;
    own(&["redis-floor", &streams.address(), &streams.stream(), url])
}

/// Asks the broker for its metrics each second, for as long as it is there.
fn listen(port: u16, told: &Mutex<(f64, f64)>) {
    let mut misses = 0;
    while misses < PATIENCE {
        thread::sleep(Duration::from_secs(1));
        let Ok(page) = page(port) else {
            misses += 1;
            continue;
        };
        misses = 0;
        let value = |start: &str| {
            let lines = page.lines().filter(|line| line.starts_with(start) && !line.contains("\"false\""));
            lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>()
        };
        let now = (value("broker_log_round_trips"), value("broker_trigger_event_count"));
        *told.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

fn page(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    Ok(page)
}

impl Drop for Streams {
    /// Says what the broker asked of the server for each event, and what was asked in all, of floor and candidate together.
    fn drop(&mut self) {
        let (round_trips, events) = *self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(
            std::io::stderr().lock(),
            "redis-broker: {:.3} round trips for each of {events} events",
            round_trips / events
        );
        let Ok(commands) = self.redis.ask(&["INFO", "commandstats"]) else { return };
        let lines = commands.as_str().unwrap_or_default().lines();
        let of_streams = lines.filter(|line| line.starts_with("cmdstat_x"));
        for line in of_streams.filter_map(|line| line.split(",usec").next()) {
            let _ = writeln!(std::io::stderr().lock(), "redis: {line}");
        }
    }
}
