//! The load: 64 keep-alive connections, each posting its next event as soon as the last one is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderValue};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::cli::Failure;
use crate::http1;

const CONNECTIONS: usize = 64;
const PAYLOAD_BYTES: usize = 1024;
/// The type of every event posted; the case of a thousand triggers has one that matches it.
pub const EVENT_TYPE: &str = "bench.event.500";
/// How long a full queue is given before the same event is offered again.
const PAUSE: Duration = Duration::from_millis(10);
/// How long answers under way at the end are waited for.
const GRACE: Duration = Duration::from_secs(10);

/// What is posted: 1 kB, of JSON but for the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Payload {
    /// A CloudEvent in binary mode.
    Event,
    /// A plain JSON body, as a webhook sends it.
    Webhook,
    /// A CloudEvent in binary mode whose JSON has some thirty values.
    Order,
    /// The same in XML.
    Xml,
}

/// The answers of one run.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Totals {
    /// 2xx.
    pub accepted: u64,
    /// 429, each followed by the same event again.
    pub busy: u64,
    /// Anything else, broken connections included.
    pub other: u64,
}

#[derive(Default)]
struct Counts {
    next_id: AtomicU64,
    accepted: Arc<AtomicU64>,
    busy: AtomicU64,
    other: AtomicU64,
}

/// Posts to `url` until `stop` is set; then waits for the answers under way. `accepted` counts those of success.
pub fn run(
    url: &Uri,
    payload: Payload,
    stop: &Arc<AtomicBool>,
    accepted: &Arc<AtomicU64>,
) -> Result<Totals, Failure> {
    let authority = url.authority().ok_or("the URL names no host")?.to_string();
    let counts = Arc::new(Counts { accepted: Arc::clone(accepted), ..Counts::default() });
    http1::runtime()?.block_on(async {
        let mut lanes = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (authority, url) = (authority.clone(), url.clone());
            let (counts, stop) = (Arc::clone(&counts), Arc::clone(stop));
            lanes.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    if lane(&authority, &url, payload, &counts, &stop).await.is_err() {
                        counts.other.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            });
        }
        while !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(PAUSE).await;
        }
        // Lanes still waiting after the grace are dropped: their events show as missing answers, not as a hang.
        let _ = tokio::time::timeout(GRACE, async { while lanes.join_next().await.is_some() {} }).await;
    });
    Ok(Totals {
        accepted: counts.accepted.load(Ordering::Relaxed),
        busy: counts.busy.load(Ordering::Relaxed),
        other: counts.other.load(Ordering::Relaxed),
    })
}

/// One connection, until the stop or its first failure.
async fn lane(
    authority: &str,
    url: &Uri,
    payload: Payload,
    counts: &Counts,
    stop: &AtomicBool,
) -> Result<(), Failure> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let (mut requests, connection) = handshake(TokioIo::new(stream)).await?;
    let host = HeaderValue::from_str(authority)?;
    let posting = async {
        while !stop.load(Ordering::Relaxed) {
            let id = counts.next_id.fetch_add(1, Ordering::Relaxed);
            while post(&mut requests, event(url, &host, payload, id)?, counts).await?
                == StatusCode::TOO_MANY_REQUESTS
            {
                tokio::time::sleep(PAUSE).await;
                if stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
            }
        }
        Ok::<(), Failure>(())
    };
    tokio::select! {
        done = posting => done,
        closed = connection => Err(closed.err().map_or_else(|| "connection closed".into(), Failure::from)),
    }
}

async fn post(
    requests: &mut SendRequest<Full<Bytes>>,
    event: Request<Full<Bytes>>,
    counts: &Counts,
) -> Result<StatusCode, Failure> {
    requests.ready().await?;
    let answer = requests.send_request(event).await?;
    let status = answer.status();
    answer.into_body().collect().await?;
    let counter = match status {
        StatusCode::TOO_MANY_REQUESTS => &counts.busy,
        _ if status.is_success() => &counts.accepted,
        _ => &counts.other,
    };
    counter.fetch_add(1, Ordering::Relaxed);
    Ok(status)
}

fn event(url: &Uri, host: &HeaderValue, payload: Payload, id: u64) -> Result<Request<Full<Bytes>>, Failure> {
    let mut request = Request::post(url.path()).body(Full::new(Bytes::from_static(body(payload))))?;
    let headers = request.headers_mut();
    headers.insert(HOST, host.clone());
    let media_type = if payload == Payload::Xml { "application/xml" } else { "application/json" };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    if payload != Payload::Webhook {
        headers.insert("ce-specversion", HeaderValue::from_static("1.0"));
        headers.insert("ce-type", HeaderValue::from_static(EVENT_TYPE));
        headers.insert("ce-source", HeaderValue::from_static("/bench/load"));
        headers.insert("ce-id", HeaderValue::try_from(id.to_string())?);
        headers.insert("ce-time", HeaderValue::from_static("2026-11-21T10:00:00Z"));
    }
    Ok(request)
}

/// Exactly 1 kB.
pub fn body(payload: Payload) -> &'static [u8] {
    match payload {
        Payload::Order => ORDER.trim_ascii_end(),
        Payload::Xml => XML.trim_ascii_end(),
        Payload::Event | Payload::Webhook => text(),
    }
}

/// What is transformed: objects, a list, numbers, and JSON inside a string.
const ORDER: &[u8; PAYLOAD_BYTES + 1] = include_bytes!("order.json");
const XML: &[u8; PAYLOAD_BYTES + 1] = include_bytes!("order.xml");

/// One long text.
fn text() -> &'static [u8] {
    const OPEN: &[u8] = br#"{"text":""#;
    const CLOSE: &[u8] = br#""}"#;
    static BODY: [u8; PAYLOAD_BYTES] = {
        let mut body = [b'x'; PAYLOAD_BYTES];
        let mut at = 0;
        while at < OPEN.len() {
            body[at] = OPEN[at];
            at += 1;
        }
        body[PAYLOAD_BYTES - 2] = CLOSE[0];
        body[PAYLOAD_BYTES - 1] = CLOSE[1];
        body
    };
    &BODY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_one_kilobyte_of_json() {
        for payload in [Payload::Event, Payload::Webhook, Payload::Order] {
            assert_eq!(body(payload).len(), 1024);
            assert!(serde_json::from_slice::<serde_json::Value>(body(payload)).is_ok());
        }
        assert_eq!(body(Payload::Xml).len(), 1024);
    }
}
