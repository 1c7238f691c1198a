//! The peer's connections: a thread for each, which a trial's few clients allow.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use rustls::{ServerConnection, StreamOwned};

use super::reply::{How, Reply};
use super::{Captured, Shared, relay};
use crate::PATIENCE;
use crate::wire;

pub(super) fn accept(listener: TcpListener, shared: Arc<Shared>) {
    thread::spawn(move || {
        for stream in listener.incoming() {
            if shared.with(|state| state.closed) {
                return;
            }
            let Ok(stream) = stream else { continue };
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                // Whatever ends a connection, the sender's view of it is what the trial looks at.
                let _ = connection(stream, &shared);
            });
        }
    });
}

fn connection(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE * 4))?;
    stream.set_write_timeout(Some(PATIENCE * 4))?;
    match &shared.tls {
        None => requests(BufReader::new(stream), shared),
        Some(config) => {
            let session = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
            let mut stream = StreamOwned::new(session, stream);
            let shaken = stream.conn.complete_io(&mut stream.sock);
            // TLS 1.3: a client that refuses our certificate says so after our side of the handshake is complete.
            let refused = shaken.is_err() || stream.conn.is_handshaking();
            let mut reader = BufReader::new(stream);
            if refused || reader.fill_buf().is_err() {
                shared.with(|state| state.failed_handshakes += 1);
                return Ok(());
            }
            requests(reader, shared)
        }
    }
}

fn requests<S: Read + Write>(mut stream: BufReader<S>, shared: &Shared) -> io::Result<()> {
    while let Some(head) = wire::read_request(&mut stream)? {
        if head.headers.get("expect").is_some() {
            stream.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let body = wire::read_body(&mut stream, &head.headers, false)?;
        let captured = Captured {
            method: head.method,
            path: head.target,
            headers: head.headers,
            body,
            at: Instant::now(),
        };
        let mut reply = shared.with(|state| {
            let routed = state.route.as_ref().and_then(|route| route(&captured));
            let reply =
                routed.or_else(|| state.script.pop_front()).unwrap_or_else(|| state.otherwise.clone());
            state.seen.push(captured.clone());
            match state.peer {
                Some(peer) if reply.is_plain_success() => Reply::relayed(peer),
                _ => reply,
            }
        });
        if let How::Relayed(peer) = reply.how {
            // A peer that does not answer is one that hangs up.
            reply = relay::ask(peer, &captured).unwrap_or_else(|_| Reply::close());
        }
        if !answer(&mut stream, &reply)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Writes the reply; false when the connection is over.
fn answer<S: Read + Write>(stream: &mut BufReader<S>, reply: &Reply) -> io::Result<bool> {
    match &reply.how {
        How::Sound => {}
        How::After(delay) => thread::sleep(*delay),
        How::Held(gate) => gate.wait(),
        // Ends when the other side closes.
        How::Hang => return stream.fill_buf().map(|_| false),
        How::Close | How::Relayed(_) => return Ok(false),
        How::Garbage => {
            stream.get_mut().write_all(b"\x00\xffthis is not HTTP\r\n\r\n\x01\x02\x03")?;
            return Ok(false);
        }
        How::Endless => {
            stream.get_mut().write_all(head(reply, "Transfer-Encoding: chunked").as_bytes())?;
            let piece = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
            loop {
                stream.get_mut().write_all(&piece)?;
            }
        }
    }
    let empty = matches!(reply.status, 204 | 304);
    let length = if empty { String::new() } else { format!("Content-Length: {}", reply.body.len()) };
    let mut bytes = head(reply, &length).into_bytes();
    if !empty {
        bytes.extend_from_slice(&reply.body);
    }
    stream.get_mut().write_all(&bytes)?;
    stream.get_mut().flush()?;
    Ok(true)
}

fn head(reply: &Reply, framing: &str) -> String {
    let mut head = format!("HTTP/1.1 {} Scripted\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !framing.is_empty() {
        head.push_str(framing);
        head.push_str("\r\n");
    }
    head + "\r\n"
}
