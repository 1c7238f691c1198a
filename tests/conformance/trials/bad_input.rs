//! X: requests that no client in its right mind sends. Each exercise runs over a running binary, so that one can
//! be put through all of them.

use std::io::{Cursor, Read};
use std::sync::Arc;

use kit::{Failure, Harness, Request, Response, Running, Shape, World, ensure, http};

const HUGE: u64 = 100 * 1024 * 1024;

/// An exercise by itself.
pub fn alone(harness: &Arc<Harness>, exercise: fn(&Running) -> Result<(), Failure>) -> Result<(), Failure> {
    exercise(&World::new(harness)?.start()?)
}

/// X1.
pub fn huge_body(harness: &Arc<Harness>) -> Result<(), Failure> {
    alone(harness, send_huge_bodies)
}

/// X2.
pub fn huge_head(harness: &Arc<Harness>) -> Result<(), Failure> {
    alone(harness, send_huge_heads)
}

/// X4.
pub fn garbage(harness: &Arc<Harness>) -> Result<(), Failure> {
    alone(harness, send_garbage)
}

/// A request line and fields that the adapter would take, without a length and the empty line.
pub fn open_head(running: &Running) -> String {
    let request = running.acceptable(1).unwrap_or_else(|_| Request::post("/"));
    let mut head = format!("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, request.path, running.address);
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head
}

/// Gives one piece again and again.
struct Pieces {
    piece: Vec<u8>,
    position: usize,
    left: u64,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.position == self.piece.len() {
            self.left = self.left.saturating_sub(1);
            self.position = 0;
        }
        if self.left == 0 {
            return Ok(0);
        }
        let length = (&self.piece[self.position..]).read(buffer)?;
        self.position += length;
        Ok(length)
    }
}

pub fn send_huge_bodies(running: &Running) -> Result<(), Failure> {
    let head = open_head(running);
    let announced = format!("{head}Content-Length: {HUGE}\r\n\r\n");
    let body = Cursor::new(announced.into_bytes()).chain(std::io::repeat(b'x').take(HUGE));
    refused_early(running, "announced", http::exchange(running.address, body))?;

    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
    let piece = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
    let pieces = Pieces { piece, position: 0, left: HUGE / 0x10000 };
    let body = Cursor::new(chunked.into_bytes()).chain(pieces).chain(Cursor::new(b"0\r\n\r\n"));
    refused_early(running, "chunked", http::exchange(running.address, body))
}

fn refused_early(
    running: &Running,
    what: &str,
    outcome: std::io::Result<(Response, u64)>,
) -> Result<(), Failure> {
    let (answer, sent) = outcome.map_err(|error| format!("100 MiB, {what}: {error}"))?;
    // A source that nobody calls has no place to send a body to.
    let refused = answer.status == 413
        || (running.harness.shape == Shape::Source && matches!(answer.status, 404 | 405));
    ensure(refused, || format!("100 MiB, {what}: {} {}", answer.status, answer.text()))?;
    ensure(sent < HUGE / 2, || format!("100 MiB, {what}: {sent} bytes were read"))
}

pub fn send_huge_heads(running: &Running) -> Result<(), Failure> {
    let one = format!("X-Big: {}\r\n", "x".repeat(1024 * 1024));
    let many: String = (0..10_000).map(|number| format!("X-{number}: x\r\n")).collect();
    for (what, fields) in [("a field of 1 MiB", one), ("10,000 fields", many)] {
        let bytes = format!("{}{fields}Content-Length: 0\r\n\r\n", open_head(running));
        let (answer, _) = http::exchange(running.address, Cursor::new(bytes.into_bytes()))
            .map_err(|error| format!("{what}: {error}"))?;
        ensure(answer.status == 431, || format!("{what}: {}", answer.status))?;
    }
    Ok(())
}

pub fn send_garbage(running: &Running) -> Result<(), Failure> {
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice();
    for bytes in [
        hello,
        b"garbage\r\n\r\n",
        b"\x00\x00\x00\x00\r\n\r\n",
        b"POST\r\n\r\n",
        b"POST / NOTHTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nBad Name: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nX: \x00\r\n\r\n",
    ] {
        let what = String::from_utf8_lossy(bytes);
        let (answer, _) = http::exchange(running.address, Cursor::new(bytes))
            .map_err(|error| format!("{what:?}: {error}"))?;
        ensure(answer.status == 400, || format!("{what:?}: {}", answer.status))?;
    }
    Ok(())
}
