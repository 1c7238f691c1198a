//! The side of `trestle up` that `send` and `watch` talk to.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use super::supervisor::Supervisor;
use super::tap::Tap;
use crate::control::{self, Line, State, WATCH};

/// Answers for as long as it is kept.
pub struct Server {
    _path: control::Path,
    tap: Tap,
    /// The address of the tap, once somebody has watched.
    address: Option<String>,
    watchers: watch::Receiver<usize>,
    /// Whether the brokers have been told that somebody watches.
    is_on: watch::Sender<bool>,
    /// Whether they have heard it.
    is_ready: watch::Sender<bool>,
}

/// What each connection needs.
#[derive(Clone)]
struct Shared {
    state: watch::Receiver<State>,
    tap: Tap,
    watchers: watch::Sender<usize>,
    is_ready: watch::Receiver<bool>,
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// When there can be no socket.
    pub fn start(supervisor: &Supervisor) -> std::io::Result<Server> {
        let (path, listener) = control::socket(|path| UnixListener::bind(path))?;
        let (tap, watchers) = (Tap::new(), watch::Sender::new(0));
        let (is_on, is_ready) = (watch::Sender::new(false), watch::Sender::new(false));
        let shared = Shared {
            state: supervisor.state(),
            tap: tap.clone(),
            watchers: watchers.clone(),
            is_ready: is_ready.subscribe(),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, shared.clone()));
            }
        });
        Ok(Server { _path: path, tap, address: None, watchers: watchers.subscribe(), is_on, is_ready })
    }

    /// Ends when the first watcher has come, or the last one has gone.
    pub async fn turned(&mut self) {
        let is_on = *self.is_on.borrow();
        if self.watchers.wait_for(|count| (*count > 0) != is_on).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Puts the brokers in line with whether anybody watches, and with the bridge as it is now.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn update(&mut self, supervisor: &mut Supervisor) -> Result<(), String> {
        let wanted = *self.watchers.borrow() > 0;
        self.tap.set(supervisor.tapped());
        if wanted == *self.is_on.borrow() {
            return Ok(());
        }
        // Said first: what fails once is not tried again and again.
        self.is_on.send_replace(wanted);
        if wanted && self.address.is_none() {
            let address =
                self.tap.listen().await.map_err(|error| format!("nothing can be watched: {error}"))?;
            self.address = Some(address);
        }
        let done = supervisor.tap(self.address.clone().filter(|_| wanted)).await;
        self.is_ready.send_replace(wanted);
        done
    }
}

/// One that counts as long as it is there.
struct Watcher(watch::Sender<usize>);

impl Watcher {
    fn new(count: watch::Sender<usize>) -> Watcher {
        count.send_modify(|count| *count += 1);
        Watcher(count)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

async fn answer(stream: UnixStream, shared: Shared) -> Option<()> {
    let (reader, mut writer) = stream.into_split();
    let state = shared.state.borrow().clone();
    writer.write_all(format!("{}\n", serde_json::to_string(&state).ok()?).as_bytes()).await.ok()?;
    let mut lines = BufReader::new(reader).lines();
    if lines.next_line().await.ok()?? != WATCH {
        return None;
    }
    let mut events = shared.tap.subscribe();
    let _watcher = Watcher::new(shared.watchers);
    let mut is_ready = shared.is_ready;
    tokio::select! {
        ready = is_ready.wait_for(|ready| *ready) => drop(ready.ok()?),
        _ = lines.next_line() => return None,
    }
    let mut line: Arc<str> = serde_json::to_string(&Line::Watching).ok()?.into();
    loop {
        writer.write_all(line.as_bytes()).await.ok()?;
        writer.write_all(b"\n").await.ok()?;
        line = tokio::select! {
            event = events.recv() => match event {
                Ok(line) => line,
                Err(RecvError::Lagged(count)) => serde_json::to_string(&Line::Missed(count)).ok()?.into(),
                Err(RecvError::Closed) => return None,
            },
            // It says nothing more: this is its end.
            _ = lines.next_line() => return None,
        };
    }
}
