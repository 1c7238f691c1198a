//! The listener: accepts, and hands each connection to the least loaded runtime.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

use super::{InFlight, connection, routes::Routes, tls::Certificates};
use crate::{
    stop::Stop,
    worker::{self, Worker},
};

/// Time that a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after an error of `accept`, which is nearly always a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A bound listener.
#[derive(Debug)]
pub(crate) struct Listening {
    listener: TcpListener,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

/// Binds.
pub(crate) async fn listen(host: &str, port: u16) -> io::Result<Listening> {
    let host: IpAddr = host.parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let listener = TcpListener::bind((host, port)).await?;
    let address = listener.local_addr()?;
    Ok(Listening { listener, address })
}

/// What is served, and how.
#[derive(Clone)]
pub(crate) struct Serving {
    pub(crate) routes: Routes,
    pub(crate) certificates: Option<Arc<Certificates>>,
    pub(crate) max_connections: usize,
    pub(crate) stop: Stop,
    /// Counts the open connections, so that the end can wait for the last answer to be written.
    pub(crate) open: Arc<InFlight>,
}

impl Listening {
    /// Accepts until it is dropped.
    pub(crate) async fn serve(self, workers: Arc<[Worker]>, serving: Serving) {
        let permits = Arc::new(Semaphore::new(serving.max_connections.min(Semaphore::MAX_PERMITS)));
        loop {
            // The semaphore is never closed.
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let (stream, peer) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    worker::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Some(worker) = worker::least_loaded(&workers) else { return };
            let load = Loaded::new(&worker.load);
            let (serving, open) = (serving.clone(), serving.open.begin());
            // The stream leaves this runtime's reactor for that of the other.
            let Ok(stream) = stream.into_std() else { continue };
            worker.run(move || {
                worker::spawn(async move {
                    let _held = (permit, load, open);
                    if let Ok(stream) = TcpStream::from_std(stream) {
                        serving.connection(stream, peer).await;
                    }
                });
            });
        }
    }
}

impl Serving {
    async fn connection(self, stream: TcpStream, peer: SocketAddr) {
        // Answers are small and written at once.
        let _ = stream.set_nodelay(true);
        let Some(certificates) = self.certificates else {
            return connection::serve(stream, peer, self.routes, self.stop).await;
        };
        let Some(acceptor) = certificates.acceptor() else { return };
        if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
            connection::serve(stream, peer, self.routes, self.stop).await;
        }
    }
}

/// One connection in the count of a worker.
struct Loaded(Arc<AtomicUsize>);

impl Loaded {
    fn new(load: &Arc<AtomicUsize>) -> Self {
        load.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(load))
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
