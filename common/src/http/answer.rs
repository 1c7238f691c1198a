//! The body of an answer: within a size, and within what all answers together may hold in memory. Who wants more waits, as
//! its peer then does.

use bytes::Bytes;
use hyper::body::Incoming;
use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit};

use super::whole::{self, Whole};

/// What each answer may hold without asking; nearly every one is smaller.
const FREE: usize = 64 << 10;
/// What all answers share beyond that, in pieces of [`FREE`].
const SHARED: usize = 32;

/// What all answers of a client may hold together, in bytes: [`FREE`] each, [`SHARED`] pieces more, and one of them
/// whatever it needs. As that one never waits for another, none of them waits for ever.
#[derive(Debug)]
pub(super) struct Room {
    shared: Semaphore,
    unbounded: Mutex<()>,
}

/// What one answer may hold; given back when dropped.
struct Share<'r> {
    room: &'r Room,
    bytes: usize,
    shared: Option<SemaphorePermit<'r>>,
    unbounded: Option<MutexGuard<'r, ()>>,
}

/// Why there is no body.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It is larger than the limit.
    TooLarge,
    /// The connection broke.
    Broken(hyper::Error),
}

impl Room {
    pub(super) fn new() -> Self {
        Self { shared: Semaphore::new(SHARED), unbounded: Mutex::new(()) }
    }

    fn share(&self) -> Share<'_> {
        Share { room: self, bytes: FREE, shared: None, unbounded: None }
    }

    /// Reads a body whole. One that says it is too large is refused before it is read.
    ///
    /// # Errors
    /// When it is larger than `limit` bytes, or breaks off.
    pub(super) async fn whole(&self, mut body: Incoming, limit: usize) -> Result<Bytes, Refusal> {
        let announced = whole::announced(&body);
        if announced > limit {
            return Err(Refusal::TooLarge);
        }
        let mut share = self.share();
        let mut whole = Whole::new(announced);
        while let Some(data) = whole::next(&mut body).await.map_err(Refusal::Broken)? {
            if whole.len() + data.len() > limit {
                return Err(Refusal::TooLarge);
            }
            share.grow_to(whole.len() + data.len()).await;
            whole.push(data);
        }
        Ok(whole.finish())
    }
}

impl<'r> Share<'r> {
    /// Waits for room for so many bytes.
    async fn grow_to(&mut self, bytes: usize) {
        if bytes <= self.bytes || self.unbounded.is_some() {
            return;
        }
        let pieces = (bytes - self.bytes).div_ceil(FREE);
        tokio::select! {
            biased;
            Ok(permit) = self.room.shared.acquire_many(u32::try_from(pieces).unwrap_or(u32::MAX)) => {
                match &mut self.shared {
                    Some(shared) => shared.merge(permit),
                    none => *none = Some(permit),
                }
                self.bytes += pieces * FREE;
            }
            guard = self.room.unbounded.lock() => self.unbounded = Some(guard),
        }
    }
}

/// The first bytes of an answer; what follows is not waited for.
pub(super) async fn beginning(mut body: Incoming, limit: usize) -> Result<Bytes, Refusal> {
    let mut kept = Whole::new(0);
    while let Some(data) = whole::next(&mut body).await.map_err(Refusal::Broken)? {
        let room = data.len().min(limit - kept.len());
        kept.push(data.slice(..room));
        if kept.len() == limit {
            break;
        }
    }
    Ok(kept.finish())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Whether there is room at once.
    async fn grows(share: &mut Share<'_>, bytes: usize) -> bool {
        timeout(Duration::from_millis(20), share.grow_to(bytes)).await.is_ok()
    }

    #[tokio::test]
    async fn one_has_what_it_needs_and_the_others_wait_for_what_they_share() {
        let room = Room::new();
        let (mut large, mut second, mut third) = (room.share(), room.share(), room.share());
        assert!(grows(&mut large, FREE * (1 + SHARED)).await);
        assert!(grows(&mut second, FREE).await, "each has a little without asking");
        assert!(grows(&mut second, FREE + 1).await, "one may have more than is there");
        assert!(grows(&mut second, 100 << 20).await);
        assert!(!grows(&mut third, FREE + 1).await);
        assert!(!grows(&mut large, FREE * (1 + SHARED) + 1).await);
        drop(second);
        assert!(grows(&mut large, FREE * (1 + SHARED) + 1).await);
        assert!(!grows(&mut third, FREE + 1).await);
        drop(large);
        assert!(grows(&mut third, FREE + 1).await);
    }
}
