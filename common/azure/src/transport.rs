//! The HTTP client of the tree in the place of the SDK's own.

use std::time::Duration;

use async_trait::async_trait;
use azure_core::{
    Error, Result,
    error::ErrorKind,
    http::{
        AsyncRawResponse, Body, HttpClient, Request,
        headers::{HeaderName, HeaderValue, Headers},
    },
};
use bytes::Bytes;
use common::http::{Client, Problem};
use futures_util::stream;

/// Time for one request.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Largest answer; tokens are far below.
const LIMIT: usize = 1 << 20;

/// The client.
#[derive(Debug, Clone)]
pub struct Http(pub Client);

#[async_trait]
impl HttpClient for Http {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let unfit = |error: http::Error| Error::with_error(ErrorKind::Other, error, "making a request");
        let body = match request.body() {
            Body::Bytes(bytes) => Bytes::copy_from_slice(bytes),
            _ => return Err(Error::with_message(ErrorKind::Other, "a body that is a stream is not sent")),
        };
        let mut outgoing =
            http::Request::builder().method(request.method().as_str()).uri(request.url().as_str());
        for (name, value) in request.headers().iter() {
            outgoing = outgoing.header(name.as_str(), value.as_str());
        }
        let outgoing = outgoing.body(body).map_err(unfit)?;
        let answer = self.0.send(outgoing, TIMEOUT, LIMIT).await.map_err(|error| {
            let kind =
                if error.problem == Problem::Connection { ErrorKind::Connection } else { ErrorKind::Io };
            Error::with_error(kind, error, "sending a request")
        })?;
        let (head, body) = answer.into_parts();
        let mut headers = Headers::new();
        for (name, value) in &head.headers {
            if let Ok(value) = value.to_str() {
                headers
                    .insert(HeaderName::from(name.as_str().to_owned()), HeaderValue::from(value.to_owned()));
            }
        }
        let body = Box::pin(stream::once(async move { Ok(body) }));
        Ok(AsyncRawResponse::new(head.status.as_u16().into(), headers, body))
    }
}
