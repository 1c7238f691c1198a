//! What a log gives.

use bytes::Bytes;

/// What one read brought.
#[derive(Debug)]
pub struct Batch<P> {
    /// Entries, in the order of the log.
    pub entries: Vec<Incoming<P>>,
    /// Whether the end of the trigger's bounds is reached: it reads no more. What was read beyond is the log's matter.
    pub ended: bool,
}

impl<P> Default for Batch<P> {
    fn default() -> Self {
        Self { entries: Vec::new(), ended: false }
    }
}

/// An entry of the log.
#[derive(Debug)]
pub struct Incoming<P> {
    /// Where it stands.
    pub position: P,
    /// The event in the JSON format of CloudEvents, or whatever else stands there.
    pub value: Bytes,
    /// How many replies led to it.
    pub hops: u32,
    /// The `traceparent` that was kept beside it.
    pub trace: Option<String>,
}
