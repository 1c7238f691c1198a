//! Room for callers who wait for what comes with the requests of others: so many, so many bytes together, and none any more once
//! the process is to end.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

/// Bytes of events that the frame lets in where nothing is set and enough memory is granted.
const BYTES: usize = 64 << 20;
/// Connections that the frame lets in where nothing is set.
const CONNECTIONS: usize = 4096;

/// The connections that the frame lets in, by its setting.
#[must_use]
pub fn connections(max_connections: Option<usize>) -> usize {
    max_connections.unwrap_or(CONNECTIONS)
}

/// Half of the bytes that the frame lets in, by its setting: what is waited for finds the other half.
#[must_use]
pub fn bytes(max_in_flight_bytes: Option<usize>) -> usize {
    max_in_flight_bytes.unwrap_or_else(|| common::memory::share(BYTES)) / 2
}

/// Room for so many, of so many bytes together.
#[derive(Debug, Clone)]
pub struct Room(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    used: Mutex<Used>,
    /// Told when the last one leaves.
    empty: Notify,
    max: usize,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct Used {
    places: usize,
    bytes: usize,
    closed: bool,
}

/// A place in it, which is free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    room: Arc<Inner>,
    bytes: usize,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// Too many are there, or too much.
    #[error("there is no room")]
    Full,
    /// The process ends.
    #[error("the process is about to end")]
    Closed,
}

impl Room {
    /// An empty one.
    #[must_use]
    pub fn new(max: usize, max_bytes: usize) -> Self {
        Self(Arc::new(Inner { used: Mutex::default(), empty: Notify::new(), max, max_bytes }))
    }

    /// Takes a place for so many bytes. One that comes to an empty room always gets one.
    ///
    /// # Errors
    /// When there is none.
    pub fn take(&self, bytes: usize) -> Result<Place, NoPlace> {
        let mut used = self.0.used();
        if used.closed {
            return Err(NoPlace::Closed);
        }
        let is_heavy = used.bytes.saturating_add(bytes) > self.0.max_bytes;
        if used.places >= self.0.max || (is_heavy && used.places > 0) {
            return Err(NoPlace::Full);
        }
        used.places += 1;
        used.bytes = used.bytes.saturating_add(bytes);
        Ok(Place { room: Arc::clone(&self.0), bytes })
    }

    /// How many places are taken.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.0.used().places
    }

    /// How many bytes they have together.
    #[must_use]
    pub fn taken_bytes(&self) -> usize {
        self.0.used().bytes
    }

    /// Gives no place any more, and says how many are taken.
    pub fn close(&self) -> usize {
        let mut used = self.0.used();
        used.closed = true;
        used.places
    }

    /// Waits until nobody is there any more; false when that takes longer than this.
    pub async fn emptied(&self, patience: Duration) -> bool {
        let empty = async {
            loop {
                let left = self.0.empty.notified();
                if self.taken() == 0 {
                    return;
                }
                left.await;
            }
        };
        tokio::time::timeout(patience, empty).await.is_ok()
    }
}

impl Inner {
    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut used = self.room.used();
        used.places -= 1;
        used.bytes -= self.bytes;
        if used.places == 0 {
            // A permit is kept for one who is just about to wait; `emptied` looks again in any case.
            self.room.empty.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_by_number() {
        let room = Room::new(2, 1000);
        let (first, _second) = (room.take(1).expect("a place"), room.take(1).expect("a place"));
        assert_eq!(room.take(1).err(), Some(NoPlace::Full));
        drop(first);
        assert!(room.take(1).is_ok());
    }

    #[test]
    fn places_are_bounded_by_bytes() {
        let room = Room::new(100, 1000);
        let big = room.take(1_000_000).expect("one that is alone always has room");
        assert_eq!(room.take(0).err(), Some(NoPlace::Full));
        drop(big);
        let first = room.take(600).expect("a place");
        assert_eq!(room.take(401).err(), Some(NoPlace::Full));
        assert_eq!(room.take(usize::MAX).err(), Some(NoPlace::Full));
        let second = room.take(400).expect("a place");
        drop((first, second));
        assert_eq!((room.taken(), room.taken_bytes()), (0, 0));
    }

    #[tokio::test]
    async fn one_that_is_closed_takes_nobody_and_tells_when_it_is_empty() {
        let room = Room::new(2, 1000);
        let place = room.take(1).expect("a place");
        assert_eq!(room.close(), 1);
        assert_eq!(room.take(1).err(), Some(NoPlace::Closed));
        assert!(!room.emptied(Duration::from_millis(1)).await);
        let (emptied, ()) = tokio::join!(room.emptied(Duration::from_secs(3600)), async { drop(place) });
        assert!(emptied);
    }
}
