//! X: clients that begin and never end.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;

use kit::{Failure, Harness, Running, ensure, http};

use crate::bad_input::{alone, open_head};
use crate::sink_faults::good_again;

/// Of each kind; two per connection of them fit under the usual limit of 1024 open files, other trials included.
const CLIENTS: usize = 150;

/// X5.
pub fn slow_clients(harness: &Arc<Harness>) -> Result<(), Failure> {
    alone(harness, be_slow)
}

pub fn be_slow(running: &Running) -> Result<(), Failure> {
    let head = open_head(running);
    let body = format!("{head}Content-Length: 1000000\r\n\r\n");
    let open = |bytes: &str| -> Result<TcpStream, Failure> {
        let mut stream = http::connect(running.address).map_err(|error| format!("a slow client: {error}"))?;
        stream.write_all(bytes.as_bytes()).map_err(|error| format!("a slow client: {error}"))?;
        Ok(stream)
    };
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(open(&head)?);
        clients.push(open(&body)?);
    }
    for _ in 0..5 {
        for client in &mut clients {
            // The other side may end it: that is its right.
            let _ = client.write_all(b"X");
        }
        let answer = running.get("/readyz")?;
        ensure(answer.status == 200, || {
            format!("/readyz among {} slow clients: {}", clients.len(), answer.status)
        })?;
        good_again(running).map_err(|error| format!("among slow clients: {error}"))?;
    }
    Ok(())
}
