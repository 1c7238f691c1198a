//! X: requests whose length can be read in two ways. Facts: RFC 9112, section 6.3.

use std::io::{Cursor, Read, Write};
use std::sync::Arc;

use kit::{Failure, Harness, Running, Shape, ensure, http};

use crate::bad_input::{alone, open_head};

/// X3.
pub fn framing(harness: &Arc<Harness>) -> Result<(), Failure> {
    alone(harness, send_two_lengths)
}

pub fn send_two_lengths(running: &Running) -> Result<(), Failure> {
    let before = (running.sink.count(), running.upstream.count());
    for fields in [
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: 2, 3",
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 2",
        "Transfer-Encoding: identity, unheard-of",
        "Content-Length: -1",
        "Content-Length: 2x",
        "Content-Length: 99999999999999999999999",
    ] {
        let bytes = format!("{}{fields}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n", open_head(running));
        let (answer, _) = http::exchange(running.address, Cursor::new(bytes.into_bytes()))
            .map_err(|error| format!("{fields:?}: {error}"))?;
        ensure(answer.status == 400, || format!("{fields:?}: {} {}", answer.status, answer.text()))?;
    }
    let after = (running.sink.count(), running.upstream.count());
    // A broker may still be delivering what came before.
    let same = after == before || running.harness.shape == Shape::Broker;
    ensure(same, || "an ambiguous request was taken for an event".to_owned())?;
    behind_another(running)?;
    pipelined(running)
}

/// A request that leaves the connection open, with an empty line in its body: head and body.
fn good(running: &Running) -> Result<(String, Vec<u8>), Failure> {
    let mut body = running.acceptable(1)?.body;
    body.extend_from_slice(b"\r\n\r\n");
    Ok((format!("{}Content-Length: {}\r\n\r\n", open_head(running), body.len()), body))
}

fn ambiguous(running: &Running) -> String {
    format!("{}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", open_head(running))
}

/// The second request on a connection is looked at like the first, whatever the body of the first held.
fn behind_another(running: &Running) -> Result<(), Failure> {
    let failed = |error: std::io::Error| format!("the second request on a connection: {error}");
    let (head, body) = good(running)?;
    let mut stream = http::connect(running.address).map_err(failed)?;
    stream.write_all(head.as_bytes()).map_err(failed)?;
    // Time for the server to take the head by itself.
    running.get("/healthz")?;
    stream.write_all(&body).map_err(failed)?;
    // Only the head of the answer matters, and it ends with the first read: the body is short.
    let mut piece = [0; 4096];
    stream.read(&mut piece).map_err(failed)?;
    stream.write_all(ambiguous(running).as_bytes()).map_err(failed)?;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).map_err(failed)?;
    let rest = String::from_utf8_lossy(&rest);
    ensure(rest.contains("HTTP/1.1 400 "), || format!("a length and chunks in the second request: {rest}"))
}

/// Whatever follows an ambiguous request on the connection is not taken for a request.
fn pipelined(running: &Running) -> Result<(), Failure> {
    let failed = |error: std::io::Error| format!("pipelined requests: {error}");
    let (head, body) = good(running)?;
    let last = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let bytes = [head.as_bytes(), &body, ambiguous(running).as_bytes(), last.as_bytes(), &body].concat();
    let mut stream = http::connect(running.address).map_err(failed)?;
    stream.write_all(&bytes).map_err(failed)?;
    let mut answers = Vec::new();
    stream.read_to_end(&mut answers).map_err(failed)?;
    let answers = String::from_utf8_lossy(&answers);
    let count = answers.matches("HTTP/1.1 ").count();
    ensure(count <= 2, || format!("{count} answers, one of them behind an ambiguous request: {answers}"))
}
