//! The floor: the least a program can do that takes an event over HTTP and passes it on.
//!
//! One thread, hyper's HTTP/1 server, the body collected, `ce-*` and the content type copied, hyper-util's pooled
//! client, 202 once the sink has answered 2xx. With several parts the body goes on in so many pieces, one after the other; with
//! a library that is run over it twice before.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::cli::Failure;
use crate::http1;
use crate::library::Library;

type Pool = Client<HttpConnector, Full<Bytes>>;

/// Forwards what arrives at the listener to the sink in so many parts, until the process ends.
pub fn serve(
    listener: std::net::TcpListener,
    sink: Uri,
    parts: usize,
    library: Option<Library>,
) -> Result<(), Failure> {
    http1::runtime()?.block_on(async move {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let pool: Pool = Client::builder(TokioExecutor::new()).build(connector);
        let forward = move |request| forward(pool.clone(), sink.clone(), parts, library, request);
        http1::serve(listener, forward).await
    })
}

async fn forward(
    pool: Pool,
    sink: Uri,
    parts: usize,
    library: Option<Library>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Failure> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    if let Some(library) = library {
        library.run_twice(&body)?;
    }
    let mut accepted = true;
    for part in 0..parts {
        let piece = body.slice(body.len() * part / parts..body.len() * (part + 1) / parts);
        let mut onward = Request::post(sink.clone()).body(Full::new(piece))?;
        for (name, value) in &head.headers {
            if name == CONTENT_TYPE || name.as_str().starts_with("ce-") {
                onward.headers_mut().append(name, value.clone());
            }
        }
        let answer = pool.request(onward).await?;
        accepted &= answer.status().is_success();
        answer.into_body().collect().await?;
    }
    let status = if accepted { StatusCode::ACCEPTED } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok(http1::empty(status))
}
