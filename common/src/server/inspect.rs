//! Looks at the bytes of a request's head for a length that stands beside chunked transfer.
//!
//! RFC 9112, section 6.3: such a message may be an attempt at request smuggling. hyper lets the chunks win and shows
//! the service no length, so the only place to see both is the connection.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const NAME: &[u8] = b"content-length:";

/// What is known of the head of the present request.
#[derive(Debug, Default)]
pub(super) struct Head(AtomicU8);

const READING: u8 = 0;
const WITHOUT_LENGTH: u8 = 1;
const WITH_LENGTH: u8 = 2;

impl Head {
    /// Whether the head held a length.
    pub(super) fn has_length(&self) -> bool {
        self.0.load(Ordering::Relaxed) == WITH_LENGTH
    }

    /// The next bytes begin another request.
    pub(super) fn begin(&self) {
        self.0.store(READING, Ordering::Relaxed);
    }
}

/// A connection that is looked at while a head comes in.
#[derive(Debug)]
pub(super) struct Inspected<T> {
    inner: T,
    head: Arc<Head>,
    /// How much of `NAME` the present line has matched; `None` once it cannot be that line.
    matched: Option<usize>,
    /// Whether the present line is empty so far.
    blank: bool,
    found: bool,
}

impl<T> Inspected<T> {
    pub(super) fn new(inner: T, head: Arc<Head>) -> Self {
        Self { inner, head, matched: Some(0), blank: true, found: false }
    }

    fn look(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.matched.is_none() && !self.blank {
                // The rest of a line that is not of interest.
                match bytes.iter().position(|b| *b == b'\n') {
                    Some(end) => bytes = &bytes[end..],
                    None => return,
                }
            }
            let (byte, rest) = (bytes[0], &bytes[1..]);
            bytes = rest;
            match byte {
                b'\r' => {}
                b'\n' if self.blank => return self.finish(),
                b'\n' => (self.matched, self.blank) = (Some(0), true),
                _ => {
                    self.blank = false;
                    self.matched = match self.matched {
                        Some(n) if NAME.get(n).is_some_and(|c| c.eq_ignore_ascii_case(&byte)) => Some(n + 1),
                        _ => None,
                    };
                    if self.matched == Some(NAME.len()) {
                        (self.found, self.matched) = (true, None);
                    }
                }
            }
        }
    }

    fn finish(&mut self) {
        self.head.0.store(if self.found { WITH_LENGTH } else { WITHOUT_LENGTH }, Ordering::Relaxed);
        (self.matched, self.blank, self.found) = (Some(0), true, false);
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Inspected<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(cx, buf);
        if self.head.0.load(Ordering::Relaxed) == READING {
            self.look(buf.filled().get(before..).unwrap_or_default());
        }
        result
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Inspected<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pieces: &[&str]) -> u8 {
        let head = Arc::new(Head::default());
        let mut inspected = Inspected::new((), Arc::clone(&head));
        pieces.iter().for_each(|piece| inspected.look(piece.as_bytes()));
        head.0.load(Ordering::Relaxed)
    }

    #[test]
    fn finds_the_line_however_it_is_cut() {
        let head = "POST / HTTP/1.1\r\nhost: x\r\nContent-LENGTH: 5\r\nx: y\r\n\r\n";
        assert_eq!(found(&[head]), WITH_LENGTH);
        for cut in 1..head.len() {
            assert_eq!(found(&[&head[..cut], &head[cut..]]), WITH_LENGTH, "cut at {cut}");
        }
        assert_eq!(found(&["GET / HTTP/1.1\nx-content-length: 5\na: content-length:\n\n"]), WITHOUT_LENGTH);
        assert_eq!(found(&["GET / HTTP/1.1\r\nhost: x\r\n"]), READING);
    }
}
