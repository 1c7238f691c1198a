//! HTTP/1.1 as it stands on the wire, read by a few lines over `httparse`: the kit must be able to see and to say what
//! no well-behaved library would. Facts: RFC 9112.

use std::io::{self, BufRead, Read};

/// Header fields in the order they came, names as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// The first value of a field, its name compared without regard to case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Every value of a field.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Fields as (name in lower case, value).
    pub fn iter(&self) -> impl Iterator<Item = (String, &str)> {
        self.0.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.as_str()))
    }
}

/// The head of a request.
pub(crate) struct RequestHead {
    pub method: String,
    pub target: String,
    pub headers: Headers,
}

fn invalid(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

/// The bytes of a message head up to and with its empty line; `None` when the peer closed before the first byte.
fn head_bytes(stream: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    loop {
        let start = head.len();
        if stream.read_until(b'\n', &mut head)? == 0 {
            return if head.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        if matches!(&head[start..], b"\r\n" | b"\n") && start > 0 {
            return Ok(Some(head));
        }
    }
}

fn owned(parsed: &[httparse::Header<'_>]) -> Headers {
    let field = |header: &httparse::Header<'_>| {
        (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned())
    };
    Headers(parsed.iter().map(field).collect())
}

/// Reads the head of the next request; `None` when the client closed the idle connection.
pub(crate) fn read_request(stream: &mut impl BufRead) -> io::Result<Option<RequestHead>> {
    let Some(bytes) = head_bytes(stream)? else { return Ok(None) };
    let mut fields = vec![httparse::EMPTY_HEADER; 512];
    let mut request = httparse::Request::new(&mut fields);
    request.parse(&bytes).map_err(|error| invalid(error.to_string()))?;
    Ok(Some(RequestHead {
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        headers: owned(request.headers),
    }))
}

/// Reads the head of a response: status and fields. Interim responses (1xx) are passed over.
pub(crate) fn read_response(stream: &mut impl BufRead) -> io::Result<(u16, Headers)> {
    loop {
        let bytes = head_bytes(stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut fields = vec![httparse::EMPTY_HEADER; 512];
        let mut response = httparse::Response::new(&mut fields);
        response.parse(&bytes).map_err(|error| invalid(error.to_string()))?;
        let status = response.code.unwrap_or_default();
        if status >= 200 {
            return Ok((status, owned(response.headers)));
        }
    }
}

/// Reads the body that the fields announce; `to_end` says what no announcement means: all until the close, or nothing.
pub(crate) fn read_body(stream: &mut impl BufRead, headers: &Headers, to_end: bool) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    let chunked =
        headers.get("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
    if chunked {
        return read_chunks(stream);
    }
    match headers.get("content-length") {
        Some(length) => {
            let length: u64 = length.trim().parse().map_err(|_| invalid("content-length"))?;
            if stream.take(length).read_to_end(&mut body)? as u64 != length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        None if to_end => drop(stream.read_to_end(&mut body)?),
        None => {}
    }
    Ok(body)
}

fn read_chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(digits, 16).map_err(|_| invalid("chunk size"))?;
        if stream.take(size).read_to_end(&mut body)? as u64 != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.clear();
        stream.read_line(&mut line)?;
        if size == 0 {
            // Trailer fields, if any, end with an empty line.
            while !line.trim().is_empty() {
                line.clear();
                stream.read_line(&mut line)?;
            }
            return Ok(body);
        }
    }
}
