//! The floor of Redis: the least a program can do that puts what it is posted into a stream, reads it as a member of a group,
//! posts it on and acknowledges it.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use peers::Redis;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Value, cmd};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::KEPT;
use crate::cli::Failure;
use crate::http1;

/// The group, and its one member.
const GROUP: &str = "floor";
/// Entries of one read.
const COUNT: usize = 256;
/// Events that are out at once, as with a broker's trigger.
const OUT: usize = 64;

type Pool = Client<HttpConnector, Full<Bytes>>;

/// Keeps and passes on what arrives at the listener, until the process ends.
pub fn serve(listener: std::net::TcpListener, address: &str, stream: &str, sink: Uri) -> Result<(), Failure> {
    let client = redis::Client::open(format!("redis://:{}@{address}/", Redis::PASSWORD))?;
    let stream: Arc<str> = stream.into();
    http1::runtime()?.block_on(async move {
        // Who waits for an entry waits longer than for any other answer.
        let patient = AsyncConnectionConfig::new().set_response_timeout(None);
        let writing = client.get_multiplexed_async_connection_with_config(&patient).await?;
        let mut create = writing.clone();
        cmd("XGROUP").arg(&["CREATE", &*stream, GROUP, "$", "MKSTREAM"]).exec_async(&mut create).await?;
        let reading = client.get_multiplexed_async_connection_with_config(&patient).await?;
        let passing = tokio::spawn(pass_on(reading, writing.clone(), Arc::clone(&stream), sink));
        let keeping =
            http1::serve(listener, move |request| keep(writing.clone(), Arc::clone(&stream), request));
        tokio::select! {
            kept = keeping => kept,
            passed = passing => passed?,
        }
    })
}

async fn keep(
    mut connection: MultiplexedConnection,
    stream: Arc<str>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Failure> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let mut add = cmd("XADD");
    // So that the memory of the machine is not what is measured.
    add.arg(&*stream).arg(&["MAXLEN", "~", KEPT, "*"]);
    for (name, value) in &head.headers {
        if name == CONTENT_TYPE || name.as_str().starts_with("ce-") {
            add.arg(name.as_str()).arg(value.as_bytes());
        }
    }
    add.arg("data").arg(&*body).exec_async(&mut connection).await?;
    Ok(http1::empty(StatusCode::OK))
}

async fn pass_on(
    mut reading: MultiplexedConnection,
    mut writing: MultiplexedConnection,
    stream: Arc<str>,
    sink: Uri,
) -> Result<(), Failure> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let pool: Pool = Client::builder(TokioExecutor::new()).build(connector);
    let free = Arc::new(Semaphore::new(OUT));
    loop {
        let mut read = cmd("XREADGROUP");
        read.arg(&["GROUP", GROUP, "me", "COUNT"])
            .arg(COUNT)
            .arg(&["BLOCK", "1000", "STREAMS", &*stream, ">"]);
        let found: Value = read.query_async(&mut reading).await?;
        let mut ack = cmd("XACK");
        ack.arg(&*stream).arg(GROUP);
        let mut posts = JoinSet::new();
        for (id, fields) in entries(found) {
            ack.arg(id);
            let permit = Arc::clone(&free).acquire_owned().await?;
            let request = request(&sink, fields)?;
            let pool = pool.clone();
            posts.spawn(async move {
                let answer = pool.request(request).await?;
                let accepted = answer.status().is_success();
                answer.into_body().collect().await?;
                drop(permit);
                if accepted { Ok::<_, Failure>(()) } else { Err("the sink refused an event".into()) }
            });
        }
        if posts.is_empty() {
            continue;
        }
        while let Some(posted) = posts.join_next().await {
            posted??;
        }
        ack.exec_async(&mut writing).await?;
    }
}

/// Ids and fields.
fn entries(found: Value) -> Vec<(Vec<u8>, Vec<Value>)> {
    let inner = |value: Value| if let Value::Array(list) = value { list } else { Vec::new() };
    let streams = inner(found).into_iter().filter_map(|stream| inner(stream).pop());
    let entries = streams.flat_map(inner).map(inner);
    entries
        .filter_map(|mut entry| {
            let fields = inner(entry.pop()?);
            let Value::BulkString(id) = entry.pop()? else { return None };
            Some((id, fields))
        })
        .collect()
}

fn request(sink: &Uri, fields: Vec<Value>) -> Result<Request<Full<Bytes>>, Failure> {
    let mut request = Request::post(sink.clone());
    let mut data = Bytes::new();
    let mut fields = fields.into_iter();
    while let (Some(Value::BulkString(name)), Some(Value::BulkString(value))) = (fields.next(), fields.next())
    {
        if name == b"data" {
            data = value.into();
        } else {
            request = request.header(name, value);
        }
    }
    Ok(request.body(Full::new(data))?)
}
