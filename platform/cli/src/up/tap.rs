//! The tap: where brokers send a copy of each event while somebody watches. It takes what comes at once, whether or not the
//! watchers keep up: a slow one must not hold the bridge up.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::routing::post;
use broker::filter::Index;
use bytes::Bytes;
use common::Event;
use common::event::http::{Decoded, HeaderDecode, decode};
use common::event::{json, new_id};
use http::{HeaderMap, StatusCode};
use serde_json::value::RawValue;
use tokio::net::TcpListener;
use tokio::sync::broadcast;

use crate::control::{Line, Route, Seen};

/// Lines that a watcher may be behind before it misses some.
const BEHIND: usize = 1024;
/// Larger than what brokers take unless told otherwise.
const MAX_BYTES: usize = 64 << 20;

/// A broker as the tap knows it.
pub struct Tapped {
    pub label: String,
    pub index: Index,
    /// By the positions in the index.
    pub routes: Vec<Route>,
}

/// The brokers by number.
pub type Brokers = HashMap<usize, Tapped>;

/// The listener and those who listen to it.
#[derive(Clone)]
pub struct Tap {
    brokers: Arc<RwLock<Brokers>>,
    lines: broadcast::Sender<Arc<str>>,
}

impl Tap {
    /// Nothing listens yet.
    pub fn new() -> Tap {
        Tap { brokers: Arc::default(), lines: broadcast::Sender::new(BEHIND) }
    }

    /// What a watcher will hear.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<str>> {
        self.lines.subscribe()
    }

    /// Takes the brokers as they are now.
    pub fn set(&self, brokers: Brokers) {
        *self.brokers.write().unwrap_or_else(PoisonError::into_inner) = brokers;
    }

    /// Listens on loopback for as long as this process runs; gives the address without the number of the broker. Only
    /// those who were told can guess it.
    pub async fn listen(&self) -> std::io::Result<String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (port, secret) = (listener.local_addr()?.port(), new_id());
        let routes =
            Router::new().route(&format!("/{secret}/{{broker}}"), post(take)).with_state(self.clone());
        let server = axum::serve(listener, routes.layer(DefaultBodyLimit::max(MAX_BYTES)));
        tokio::spawn(server.into_future());
        Ok(format!("http://127.0.0.1:{port}/{secret}/"))
    }

    fn seen(&self, number: usize, event: &Event) {
        let brokers = self.brokers.read().unwrap_or_else(PoisonError::into_inner);
        let Some(broker) = brokers.get(&number) else { return };
        let text = String::from_utf8(json::to_vec(event)).ok();
        let Some(event_text) = text.and_then(|text| RawValue::from_string(text).ok()) else { return };
        let wanted = broker.index.select(event);
        let to =
            wanted.iter().filter_map(|position| broker.routes.get(*position as usize)).cloned().collect();
        let seen = Seen { broker: broker.label.clone(), to, event: event_text };
        if let Ok(line) = serde_json::to_string(&Line::Event(seen)) {
            // Nobody listens any more: the broker will be told.
            let _ = self.lines.send(line.into());
        }
    }
}

async fn take(
    State(tap): State<Tap>,
    Path(broker): Path<usize>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    match decode(&headers, body, HeaderDecode::Spec) {
        Ok(Decoded::One(event)) => tap.seen(broker, &event),
        Ok(Decoded::Batch(events)) => events.iter().for_each(|event| tap.seen(broker, event)),
        Err(_) => {}
    }
    StatusCode::ACCEPTED
}
