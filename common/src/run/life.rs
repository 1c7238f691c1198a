//! From the listener to the last answer.

use std::{
    future::Future,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Frame, Shape, failed, invalid};
use crate::{
    adapter::Adapter,
    config::ConfigError,
    error::Error,
    send::Backoff,
    server::{self, Certificates, InFlight, Listening, Routes, Serving},
    stop::{self, Stop, Stopper},
    worker::{self, Worker},
};

/// Lives: binds, serves, connects, works, and ends when it is told to.
pub(super) async fn live<A: Adapter>(shape: Shape<A>, frame: Arc<Frame>, adapter: Arc<A>) -> ExitCode {
    // First of all: from its first line on, a process that is told to end does so in order.
    let signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => return failed(&error),
    };
    let bound = match Bound::new(&frame).await {
        Ok(bound) => bound,
        Err(ConfigError { problems }) => return invalid(problems),
    };
    let workers: Arc<[Worker]> = match worker::start() {
        Ok(workers) => workers.into(),
        Err(error) => return failed(&error),
    };
    let (stopper, stop) = Stop::channel();
    let open = Arc::new(InFlight::default());
    let asked = Arc::downgrade(&adapter);
    frame.health.set_reachable(move || asked.upgrade().is_some_and(|adapter| adapter.is_ready()));
    let routes = Routes::new(adapter.pages(), &frame.health, (shape.events)(&frame, &adapter));
    let serving = Serving {
        routes,
        certificates: bound.certificates,
        max_connections: frame.config.max_connections,
        stop: stop.clone(),
        open: Arc::clone(&open),
    };
    tracing::info!(address = %bound.events.address, version = A::INFO.version, "listening");
    let accepting = worker::spawn(bound.events.serve(Arc::clone(&workers), serving));
    if let Some(metrics) = bound.metrics {
        tracing::info!(address = %metrics.address, "serving metrics");
        worker::spawn(metrics.serve(workers, metrics_serving(&stop)));
    }
    (shape.prepare)(&frame, &adapter);
    let work = async {
        if connect(&*adapter, &frame, &stop).await {
            (shape.work)(Arc::clone(&frame), Arc::clone(&adapter), stop.clone()).await
        } else {
            Ok(())
        }
    };
    let accepting = Accepting { task: accepting, open };
    let settled = adapter.settled(stop::SETTLE);
    end(work, settled, accepting, &frame, &stopper, shape.serves, signals).await
}

/// SIGTERM and SIGINT, noticed from when this is made.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next of them.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The listeners and the server's certificate.
struct Bound {
    events: Listening,
    metrics: Option<Listening>,
    certificates: Option<Arc<Certificates>>,
}

impl Bound {
    async fn new(frame: &Frame) -> Result<Self, ConfigError> {
        let config = &frame.config;
        let events = server::listen(&config.host, config.port).await.map_err(|error| {
            ConfigError::new("PORT", format_args!("{} cannot be listened on: {error}", config.port))
        })?;
        let port = config.metrics_prometheus_port.unwrap_or(9092);
        let metrics = match server::listen(&config.metrics_prometheus_host, port).await {
            Ok(listening) => Some(listening),
            Err(error) if config.metrics_prometheus_port.is_some() => {
                let problem = format_args!("{port} cannot be listened on: {error}");
                return Err(ConfigError::new("METRICS_PROMETHEUS_PORT", problem));
            }
            Err(error) => {
                tracing::warn!(port, %error, "metrics are not served: their default port cannot be listened on");
                None
            }
        };
        let certificates = match (&config.tls_cert_file, &config.tls_key_file) {
            (Some(chain), Some(key)) => Some(Arc::new(Certificates::new(chain, key)?)),
            _ => None,
        };
        Ok(Self { events, metrics, certificates })
    }
}

fn metrics_serving(stop: &Stop) -> Serving {
    Serving {
        routes: Routes::metrics(),
        certificates: None,
        max_connections: 64,
        stop: stop.clone(),
        open: Arc::new(InFlight::default()),
    }
}

/// The first contact, tried until it succeeds; false when the process is to stop first.
async fn connect<A: Adapter>(adapter: &A, frame: &Frame, stop: &Stop) -> bool {
    let mut backoff = Backoff::default();
    loop {
        let attempt = tokio::select! {
            result = adapter.connect() => result,
            () = stop.requested() => return false,
        };
        frame.health.set_started();
        let error = match attempt {
            Ok(()) => break,
            Err(error) => error,
        };
        let pause = backoff.next(error.retry_after());
        tracing::warn!(
            reason = error.chain(),
            retry_in_ms = pause.as_millis() as u64,
            "the first contact failed"
        );
        tokio::select! {
            () = worker::sleep(pause) => {}
            () = stop.requested() => return false,
        }
    }
    frame.health.set_connected();
    tracing::info!(after_us = frame.begin.elapsed().as_micros() as u64, "ready");
    true
}

struct Accepting {
    task: tokio::task::JoinHandle<()>,
    open: Arc<InFlight>,
}

/// Waits for the end and goes through it: not ready, still accepting, draining, closed.
async fn end(
    work: impl Future<Output = Result<(), Error>>,
    settled: impl Future<Output = ()>,
    accepting: Accepting,
    frame: &Frame,
    stopper: &Stopper,
    serves: bool,
    mut signals: Signals,
) -> ExitCode {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        // Work that ends before it was asked to has nothing more to do, or cannot go on.
        result = &mut work => return outcome(result),
        () = signals.next() => {}
    }
    tracing::info!("stopping");
    frame.health.set_stopping();
    stopper.request();
    let drain = async {
        if !serves {
            // Nobody brings events here: the door stays open to probes until the work is done.
            let deadline = Instant::now() + stop::DRAIN;
            stopper.close(deadline);
            return deadline;
        }
        worker::sleep(Duration::from_secs(frame.config.drain_seconds)).await;
        let deadline = Instant::now() + stop::DRAIN;
        // One that does not keep to its patience has had all the time there is.
        let _ = tokio::time::timeout_at(deadline.into(), settled).await;
        accepting.task.abort();
        stopper.drain(deadline);
        if tokio::time::timeout_at(deadline.into(), accepting.open.idle()).await.is_err() {
            tracing::error!(connections = accepting.open.count(), "requests were still in work at the end");
        }
        stopper.close(deadline);
        deadline
    };
    let finish = async {
        // The work may be done long before the callers have gone, and it may need them gone to be done.
        let mut drain = std::pin::pin!(drain);
        let deadline = tokio::select! {
            result = &mut work => {
                drain.await;
                return result;
            }
            deadline = &mut drain => deadline,
        };
        // A moment more than the work knows of, for its own report.
        let patience = deadline + Duration::from_secs(2);
        match tokio::time::timeout_at(patience.into(), work).await {
            Ok(result) => result,
            Err(_) => Err(Error::retryable("the work did not end in time")),
        }
    };
    tokio::select! {
        result = finish => outcome(result),
        () = signals.next() => failed(&std::io::Error::other("a second signal came before the end")),
    }
}

fn outcome(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => {
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}
