//! Passing a request on to a real peer: fields, signature and all, and its answer back.

use std::io::{self, BufReader, Cursor, Write};
use std::net::SocketAddr;

use super::{Captured, Reply};
use crate::http::{connect, exchange};
use crate::wire;

/// Fields that belong to one connection.
const FRAMING: [&str; 5] = ["connection", "content-length", "expect", "keep-alive", "transfer-encoding"];

fn is_framing(name: &str) -> bool {
    FRAMING.contains(&name.to_ascii_lowercase().as_str())
}

/// The peer's answer.
pub(super) fn ask(peer: SocketAddr, request: &Captured) -> io::Result<Reply> {
    let mut bytes = format!("{} {} HTTP/1.1\r\nConnection: close\r\n", request.method, request.path);
    for (name, value) in request.headers.0.iter().filter(|(name, _)| !is_framing(name)) {
        bytes.push_str(&format!("{name}: {value}\r\n"));
    }
    bytes.push_str(&format!("Content-Length: {}\r\n\r\n", request.body.len()));
    let bytes = [bytes.as_bytes(), &request.body].concat();
    let (status, headers, body) = if request.method == "HEAD" {
        // Its answer tells of a body that never comes.
        let mut stream = connect(peer)?;
        stream.write_all(&bytes)?;
        let (status, headers) = wire::read_response(&mut BufReader::new(stream))?;
        (status, headers, Vec::new())
    } else {
        let (answer, _) = exchange(peer, Cursor::new(bytes))?;
        (answer.status, answer.headers, answer.body)
    };
    let fields = headers.0.iter().filter(|(name, _)| !is_framing(name));
    Ok(fields.fold(Reply::status(status), |reply, (name, value)| reply.header(name, value)).body(body))
}
