//! A body that is put together from its pieces.

use bytes::Bytes;
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// Most bytes of a part, where nobody says how much will come: what grows in one piece holds twice as much while it grows.
const PART: usize = 64 << 10;

/// The pieces of a body so far. A body of one piece, as nearly every one is, is not copied.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    announced: usize,
    len: usize,
    first: Bytes,
    parts: Vec<Vec<u8>>,
}

impl Whole {
    /// Nothing yet, of which the peer says that it will be so many bytes; zero where it does not say.
    pub(crate) fn new(announced: usize) -> Self {
        Self { announced, ..Self::default() }
    }

    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Puts a piece behind the others.
    pub(crate) fn push(&mut self, data: Bytes) {
        let is_first = self.len == 0;
        self.len += data.len();
        if is_first {
            self.first = data;
        } else {
            let first = std::mem::take(&mut self.first);
            self.copy(&first);
            self.copy(&data);
        }
    }

    fn copy(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            let full = self.parts.last().is_none_or(|part| part.len() == part.capacity());
            if full {
                // No more than there is already: a small body must not keep a large part.
                self.parts.push(Vec::with_capacity(self.announced.max(self.len.min(PART))));
            }
            let Some(part) = self.parts.last_mut() else { return };
            let (now, later) = data.split_at(data.len().min(part.capacity() - part.len()));
            part.extend_from_slice(now);
            data = later;
        }
    }

    /// The body.
    pub(crate) fn finish(mut self) -> Bytes {
        if self.parts.len() < 2 {
            return self.parts.pop().map_or(self.first, Bytes::from);
        }
        let mut body = Vec::with_capacity(self.len);
        for part in self.parts {
            body.extend_from_slice(&part);
        }
        Bytes::from(body)
    }
}

/// How many bytes the peer says that a body has; zero where it does not say.
pub(crate) fn announced(body: &Incoming) -> usize {
    body.size_hint().exact().map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
}

/// The next piece of a body; nothing after the last.
///
/// # Errors
/// When the connection broke, or the chunks are malformed.
pub(crate) async fn next(body: &mut Incoming) -> Result<Option<Bytes>, hyper::Error> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_follow_each_other_and_a_single_one_is_not_copied() {
        for announced in [0, 3, 6] {
            let mut whole = Whole::new(announced);
            for piece in ["", "ab", "", "cde", "f"] {
                whole.push(Bytes::from(piece));
            }
            assert_eq!(whole.len(), 6);
            assert_eq!(whole.finish(), "abcdef");
        }
        let single = Bytes::from(vec![1, 2, 3]);
        let mut whole = Whole::new(3);
        whole.push(single.clone());
        assert_eq!(whole.finish().as_ptr(), single.as_ptr());
        assert_eq!(Whole::new(0).finish(), Bytes::new());
        let large: Vec<u8> = (0..=255).cycle().take(3 * PART + 5).collect();
        for (announced, size) in [(0, 1000), (0, PART + 1), (large.len(), 1000)] {
            let mut whole = Whole::new(announced);
            for piece in large.chunks(size) {
                whole.push(Bytes::copy_from_slice(piece));
            }
            assert_eq!(whole.finish(), large);
        }
        let mut small = Whole::new(0);
        small.push(Bytes::from("ab"));
        small.push(Bytes::from("c"));
        assert!(small.parts[0].capacity() < 64, "{}", small.parts[0].capacity());
    }
}
