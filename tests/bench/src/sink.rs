//! The sink: one thread that takes every event, answers 202 and counts.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;

use crate::cli::Failure;
use crate::http1;

/// A sink on a thread of this process.
pub struct Sink {
    /// Where it listens.
    pub address: SocketAddr,
    count: Arc<AtomicU64>,
}

impl Sink {
    /// Starts one on a free port of loopback; it lives as long as the process.
    pub fn start() -> Result<Self, Failure> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let count = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&count);
        std::thread::Builder::new().name("sink".into()).spawn(move || serve(listener, counter))?;
        Ok(Self { address, count })
    }

    /// Events taken so far.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// The count itself.
    pub fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.count)
    }

    /// Waits until nothing has arrived for a fifth of a second, so that a queue still draining costs the next round
    /// nothing. Gives up after twenty seconds.
    pub fn settle(&self) -> Result<(), Failure> {
        let start = Instant::now();
        let mut last = self.count();
        let mut since = start;
        while since.elapsed() < Duration::from_millis(200) {
            std::thread::sleep(Duration::from_millis(10));
            let now = self.count();
            if now != last {
                last = now;
                since = Instant::now();
            }
            if start.elapsed() > Duration::from_secs(20) {
                return Err("events still arrive twenty seconds after the load has ended".into());
            }
        }
        Ok(())
    }
}

/// Serves the listener until the process ends. `GET /count` tells the count.
pub fn serve(listener: TcpListener, count: Arc<AtomicU64>) -> Result<(), Failure> {
    http1::runtime()?.block_on(http1::serve(listener, move |request| take(request, Arc::clone(&count))))
}

async fn take(request: Request<Incoming>, count: Arc<AtomicU64>) -> Result<Response<Full<Bytes>>, Failure> {
    if request.method() == Method::GET {
        let text = count.load(Ordering::Relaxed).to_string();
        return Ok(Response::new(Full::from(text)));
    }
    request.into_body().collect().await?;
    count.fetch_add(1, Ordering::Relaxed);
    Ok(http1::empty(StatusCode::ACCEPTED))
}
