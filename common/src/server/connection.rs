//! One connection: HTTP/1.1 with limits on the head, its time and its size.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{body::Body, extract::ConnectInfo};
use http::{Request, Response, StatusCode, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    inspect::{Inspected, Verdict},
    routes::{Routes, Slot},
};
use crate::stop::Stop;

/// Time in which the head of a request must have come whole, counted from its first wait.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest head of a request; above it, and above 100 headers, the answer is 431.
const MAX_HEAD: usize = 64 * 1024;

/// Serves a connection until its end; once the process drains, only the request in work is finished.
pub(super) async fn serve<T>(stream: T, peer: SocketAddr, routes: Routes, stop: Stop)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let verdict = Arc::new(Verdict::default());
    let slot = Arc::new(Slot::default());
    let io = TokioIo::new(Inspected::new(stream, Arc::clone(&verdict)));
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        answer(request, routes.clone(), Arc::clone(&verdict), Arc::clone(&slot))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(io, service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // A connection that breaks, or breaks the rules, has been answered by hyper; nobody else wants to know.
        _ = connection.as_mut() => return,
        () = stop.draining() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

async fn answer(
    request: Request<Incoming>,
    routes: Routes,
    verdict: Arc<Verdict>,
    slot: Arc<Slot>,
) -> Result<Response<Body>, std::convert::Infallible> {
    let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    let mut response = if verdict.next_is_ambiguous() {
        let mut refusal = Response::new(Body::from("a length and chunked transfer exclude each other"));
        *refusal.status_mut() = StatusCode::BAD_REQUEST;
        refusal
    } else {
        routes.answer(request, &slot).await
    };
    if chunked {
        // What follows a chunked body has not been looked at.
        response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    }
    Ok(response)
}
