//! Looks at the heads of requests for a length that stands beside chunked transfer.
//!
//! RFC 9112, section 6.3: such a message may be an attempt at request smuggling. hyper lets the chunks win and shows
//! the service no length, so the only place to see both is the connection. Bodies of known length are passed over;
//! behind a chunked one nothing is looked at any more, and the connection is closed after it.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const LENGTH: &[u8] = b"content-length";
const TRANSFER: &[u8] = b"transfer-encoding";

/// Which request of a connection, if any, had both. Requests are counted from 0.
#[derive(Debug)]
pub(super) struct Verdict {
    ambiguous: AtomicU64,
    served: AtomicU64,
}

impl Default for Verdict {
    fn default() -> Self {
        Self { ambiguous: AtomicU64::new(u64::MAX), served: AtomicU64::new(0) }
    }
}

impl Verdict {
    /// Whether the next request to be served is the ambiguous one.
    pub(super) fn next_is_ambiguous(&self) -> bool {
        self.served.fetch_add(1, Ordering::Relaxed) == self.ambiguous.load(Ordering::Relaxed)
    }
}

/// Where in the stream the next byte stands.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// Before the request line; empty lines are allowed there.
    Start,
    /// In a line of which the rest is of no interest.
    Line,
    /// In the name of a field: so many bytes of one or both of the names have matched.
    Name { at: usize, length: bool, transfer: bool },
    /// In the value of `Content-Length`.
    Length(u64),
    /// In a body with so many bytes to come.
    Body(u64),
    /// Behind something that does not tell where the next request begins.
    Blind,
}

const NAME: Part = Part::Name { at: 0, length: true, transfer: true };

/// A connection that is looked at.
#[derive(Debug)]
pub(super) struct Inspected<T> {
    inner: T,
    verdict: Arc<Verdict>,
    part: Part,
    /// Requests whose head is complete.
    heads: u64,
    length: Option<u64>,
    chunked: bool,
}

impl<T> Inspected<T> {
    pub(super) fn new(inner: T, verdict: Arc<Verdict>) -> Self {
        Self { inner, verdict, part: Part::Start, heads: 0, length: None, chunked: false }
    }

    fn look(&mut self, mut bytes: &[u8]) {
        while let Some((&byte, rest)) = bytes.split_first() {
            bytes = match self.part {
                Part::Blind => return,
                Part::Body(left) => {
                    let passed = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    self.body(left - passed as u64);
                    bytes.get(passed..).unwrap_or_default()
                }
                Part::Line => match bytes.iter().position(|b| *b == b'\n') {
                    Some(end) => {
                        self.part = NAME;
                        bytes.get(end + 1..).unwrap_or_default()
                    }
                    None => return,
                },
                _ => {
                    self.byte(byte);
                    rest
                }
            };
        }
    }

    fn byte(&mut self, byte: u8) {
        self.part = match (self.part, byte) {
            (Part::Start, b'\r' | b'\n') => Part::Start,
            (Part::Name { at: 0, .. }, b'\n') => return self.end_of_head(),
            (Part::Name { at: 0, .. }, b'\r') => self.part,
            (Part::Name { at, length: true, .. }, b':') if at == LENGTH.len() => Part::Length(0),
            (Part::Name { at, transfer: true, .. }, b':') if at == TRANSFER.len() => {
                self.chunked = true;
                Part::Line
            }
            (Part::Name { at, length, transfer }, _) => {
                let same = |name: &[u8]| name.get(at).is_some_and(|c| c.eq_ignore_ascii_case(&byte));
                match (length && same(LENGTH), transfer && same(TRANSFER)) {
                    (false, false) if byte == b'\n' => NAME,
                    (false, false) => Part::Line,
                    (length, transfer) => Part::Name { at: at + 1, length, transfer },
                }
            }
            (Part::Length(so_far), b'0'..=b'9') => {
                Part::Length(so_far.saturating_mul(10).saturating_add(u64::from(byte - b'0')))
            }
            (Part::Length(length), b'\n') => {
                self.length = Some(length);
                NAME
            }
            (Part::Length(_), b' ' | b'\t' | b'\r') => self.part,
            // No number: hyper refuses the request.
            (Part::Length(_), _) => Part::Blind,
            _ => Part::Line,
        };
    }

    fn end_of_head(&mut self) {
        if self.chunked {
            if self.length.is_some() {
                self.verdict.ambiguous.store(self.heads, Ordering::Relaxed);
            }
            self.part = Part::Blind;
            return;
        }
        self.heads += 1;
        let length = self.length.take().unwrap_or_default();
        self.body(length);
    }

    fn body(&mut self, left: u64) {
        self.part = if left == 0 { Part::Start } else { Part::Body(left) };
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Inspected<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(cx, buf);
        self.look(buf.filled().get(before..).unwrap_or_default());
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

    /// The number of the ambiguous request, if there is one.
    fn ambiguous(pieces: &[&str]) -> Option<u64> {
        let verdict = Arc::new(Verdict::default());
        let mut inspected = Inspected::new((), Arc::clone(&verdict));
        pieces.iter().for_each(|piece| inspected.look(piece.as_bytes()));
        Some(verdict.ambiguous.load(Ordering::Relaxed)).filter(|number| *number != u64::MAX)
    }

    const BOTH: &str =
        "POST / HTTP/1.1\r\nhost: x\r\nTransfer-encoding: chunked\r\nContent-LENGTH: 5\r\n\r\n";

    #[test]
    fn finds_both_however_they_are_cut() {
        let good = "\r\nPOST / HTTP/1.1\r\nContent-Length: 7\r\nContent-Length-Not: x\r\n\r\n\r\n\r\nabc";
        let all = format!("{good}GET / HTTP/1.1\r\n\r\n{BOTH}");
        assert_eq!(ambiguous(&[&all]), Some(2));
        for cut in 1..all.len() {
            assert_eq!(ambiguous(&[&all[..cut], &all[cut..]]), Some(2), "cut at {cut}");
        }
    }

    #[test]
    fn one_of_them_is_not_both() {
        let body =
            "POST / HTTP/1.1\r\nContent-Length: 45\r\n\r\nTransfer-Encoding: chunked\r\nContent-Length: 5";
        assert_eq!(ambiguous(&[body, "\r\n\r\n"]), None);
        let chunked = "POST / HTTP/1.1\r\nx-content-length: 5\r\na: content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(ambiguous(&[chunked]), None);
        // Behind it the connection is closed.
        assert_eq!(ambiguous(&[chunked, "0\r\n\r\n", BOTH]), None);
        assert_eq!(ambiguous(&[&BOTH[..BOTH.len() - 2]]), None);
    }
}
