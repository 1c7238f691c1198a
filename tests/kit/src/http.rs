//! A small blocking HTTP client: one connection for each request, nothing hidden, and an early answer is still read.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Instant;

use serde_json::Value;

use crate::wire::{self, Headers};
use crate::{Event, Failure, PATIENCE, ensure};

/// A request to send. Host, Content-Length and `Connection: close` are added on sending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method, verbatim.
    pub method: String,
    /// Path and query, verbatim.
    pub path: String,
    /// Fields in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Fields in order.
    pub headers: Headers,
    /// The body, de-chunked.
    pub body: Vec<u8>,
    /// When all of it was here.
    pub at: Instant,
}

/// A request that was sent from a thread of its own.
pub type Asked = thread::JoinHandle<Result<Response, Failure>>;

impl Response {
    /// 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Holds that it has this status.
    ///
    /// # Errors
    /// When it has another one, with what it says.
    pub fn expect(&self, status: u16) -> Result<(), Failure> {
        ensure(self.status == status, || format!("{}, not {status}: {}", self.status, self.text()))
    }

    /// Holds that it has this status and says just this.
    ///
    /// # Errors
    /// With what it is and says instead.
    pub fn expect_text(&self, status: u16, text: &str) -> Result<(), Failure> {
        ensure(self.status == status && self.text() == text, || {
            format!("{} {:?}, not {status} {text:?}", self.status, self.text())
        })
    }

    /// The event that it carries.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn event(&self) -> Result<Event, Failure> {
        Event::read(&self.headers, &self.body)
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Request {
    /// A request without fields and body.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    /// A `GET`.
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// A `POST`.
    #[must_use]
    pub fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    /// Adds a field.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body and its media type.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", content_type)
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(self, value: &Value) -> Self {
        self.body("application/json", value.to_string())
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn to_bytes(&self, host: SocketAddr) -> Vec<u8> {
        let mut bytes =
            format!("{} {} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            bytes.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() || !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS") {
            bytes.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        bytes.push_str("\r\n");
        let mut bytes = bytes.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Sends it and reads the answer.
    ///
    /// # Errors
    /// When no connection could be made or what came back was not an HTTP response.
    pub fn send(&self, to: SocketAddr) -> Result<Response, Failure> {
        let answer = exchange(to, io::Cursor::new(self.to_bytes(to)));
        answer
            .map(|(response, _)| response)
            .map_err(|error| format!("{} {}: {error}", self.method, self.path))
    }

    /// Sends it from a thread of its own; [`answer`] waits for what comes back.
    #[must_use]
    pub fn send_later(&self, to: SocketAddr) -> Asked {
        let request = self.clone();
        thread::spawn(move || request.send(to))
    }
}

/// What came back of a request that was sent from a thread of its own.
///
/// # Errors
/// When no answer came.
pub fn answer(asked: Asked) -> Result<Response, Failure> {
    asked.join().map_err(|_| "the client failed")?
}

/// Sends whatever `bytes` gives and reads one response meanwhile; sending ends when the response is complete.
/// Also says how many bytes the connection took.
///
/// # Errors
/// When no connection could be made or what came back was not an HTTP response.
pub fn exchange(to: SocketAddr, mut bytes: impl Read + Send) -> io::Result<(Response, u64)> {
    let stream = connect(to)?;
    thread::scope(|scope| {
        let mut writing = stream.try_clone()?;
        let writer = scope.spawn(move || {
            let mut sent = 0;
            let mut piece = vec![0; 64 * 1024];
            loop {
                let Ok(length @ 1..) = bytes.read(&mut piece) else { return sent };
                // An early answer followed by a close is no failure: the reader has the answer.
                if writing.write_all(&piece[..length]).is_err() {
                    return sent;
                }
                sent += length as u64;
            }
        });
        let response = read_response(&stream);
        let _ = stream.shutdown(Shutdown::Both);
        let sent = writer.join().unwrap_or_default();
        Ok((response?, sent))
    })
}

/// Connects with the kit's time-outs.
///
/// # Errors
/// When nobody listens.
pub fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE * 2))?;
    stream.set_write_timeout(Some(PATIENCE * 2))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Reads one response from a connection.
///
/// # Errors
/// When what comes is not one, or nothing comes.
pub fn read_response(stream: impl Read) -> io::Result<Response> {
    let mut reader = BufReader::new(stream);
    let (status, headers) = wire::read_response(&mut reader)?;
    let body = match status {
        204 | 304 => Vec::new(),
        _ => wire::read_body(&mut reader, &headers, true)?,
    };
    Ok(Response { status, headers, body, at: Instant::now() })
}
