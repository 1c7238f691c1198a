//! Reading a request's body: within a size, within a time, and within what all requests together may hold.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::StatusCode;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use crate::http::whole::{self, Whole};

/// Time in which a body must have come whole.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// What all requests together may hold in memory.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicUsize,
    limit: usize,
}

/// A share of the budget, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), limit })
    }

    fn share(self: &Arc<Self>) -> Share {
        Share { budget: Arc::clone(self), bytes: 0 }
    }
}

impl Share {
    /// Takes more; false when there is no room. A request that is alone always has room.
    fn grow(&mut self, bytes: usize) -> bool {
        let (own, limit) = (self.bytes, self.budget.limit);
        let grown = |used: usize| (used == own || used + bytes <= limit).then_some(used + bytes);
        let has_room = self.budget.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown).is_ok();
        self.bytes += if has_room { bytes } else { 0 };
        has_room
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A body and its share of the budget; keep it until the request is answered.
#[derive(Debug)]
pub(crate) struct Collected {
    /// The body.
    pub(crate) bytes: Bytes,
    /// Held for its `Drop`.
    pub(crate) _share: Share,
}

/// Why a body was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyRefusal {
    /// Larger than `MAX_EVENT_BYTES`.
    TooLarge,
    /// Not whole in time.
    TooSlow,
    /// The connection broke, or the chunks are malformed.
    Broken,
    /// All requests together hold too much: try again.
    NoRoom,
}

impl BodyRefusal {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
            Self::NoRoom => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::TooLarge => "the body is larger than MAX_EVENT_BYTES",
            Self::TooSlow => "the body did not come in time",
            Self::Broken => "the body is malformed",
            Self::NoRoom => "too many events are in work",
        }
    }
}

/// Reads a body. One that says it is too large is refused before it is read.
pub(crate) async fn collect(
    mut body: Incoming,
    limit: usize,
    budget: &Arc<Budget>,
) -> Result<Collected, BodyRefusal> {
    let mut share = budget.share();
    let announced = whole::announced(&body);
    if announced > limit {
        return Err(BodyRefusal::TooLarge);
    }
    if !share.grow(announced) {
        return Err(BodyRefusal::NoRoom);
    }
    let deadline = Instant::now() + BODY_TIMEOUT;
    let mut whole = Whole::new(announced);
    loop {
        let data = match timeout_at(deadline, whole::next(&mut body)).await {
            Err(_) => return Err(BodyRefusal::TooSlow),
            Ok(Err(_)) => return Err(BodyRefusal::Broken),
            Ok(Ok(None)) => break,
            Ok(Ok(Some(data))) => data,
        };
        let have = whole.len() + data.len();
        if have > limit {
            return Err(BodyRefusal::TooLarge);
        }
        if have > share.bytes && !share.grow(have - share.bytes) {
            return Err(BodyRefusal::NoRoom);
        }
        whole.push(data);
    }
    Ok(Collected { bytes: whole.finish(), _share: share })
}
