//! The floors of Kafka: the least a program can do that posts what it consumes, and that produces what it is posted.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::producer::{FutureProducer, FutureRecord};
use tokio::sync::Semaphore;
use tokio::task::LocalSet;

use super::PARTITIONS;
use crate::cli::Failure;
use crate::http1;

/// Consumes a topic and posts each record as an event, as many at once as there are partitions; the position moves over
/// what was accepted, in whatever order, and is committed in the background.
pub fn source(bootstrap: &str, topic: &str, sink: Uri) -> Result<(), Failure> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("group.id", format!("floor-of-{topic}"));
    config.set("auto.offset.reset", "earliest").set("enable.auto.offset.store", "false");
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let pool = Client::builder(TokioExecutor::new()).build(connector);
    let sink = Rc::new(sink);
    let free = Arc::new(Semaphore::new(usize::try_from(PARTITIONS)?));
    LocalSet::new().block_on(&http1::runtime()?, async move {
        let consumer: Rc<StreamConsumer> = Rc::new(config.create()?);
        consumer.subscribe(&[topic])?;
        loop {
            let permit = Arc::clone(&free).acquire_owned().await?;
            // While the broker sets its first group up there are failures that pass.
            let Ok(message) = consumer.recv().await else { continue };
            let request = event(&message, &sink)?;
            let place = (message.partition(), message.offset());
            let (pool, consumer, topic) = (pool.clone(), Rc::clone(&consumer), topic.to_owned());
            drop(message);
            tokio::task::spawn_local(async move {
                let answer = pool.request(request).await?;
                let accepted = answer.status().is_success();
                answer.into_body().collect().await?;
                if accepted {
                    consumer.store_offset(&topic, place.0, place.1)?;
                }
                drop(permit);
                Ok::<_, Failure>(())
            });
        }
    })
}

fn event(message: &BorrowedMessage<'_>, sink: &Uri) -> Result<Request<Full<Bytes>>, Failure> {
    let id = format!("{}/{}", message.partition(), message.offset());
    let body = Bytes::copy_from_slice(message.payload().unwrap_or_default());
    let request = Request::post(sink.clone())
        .header("ce-specversion", "1.0")
        .header("ce-id", id)
        .header("ce-source", "/bench/floor")
        .header("ce-type", "bench.record")
        .header(CONTENT_TYPE, "application/json");
    Ok(request.body(Full::new(body))?)
}

/// Produces each body that is posted and answers when the broker has confirmed it.
pub fn target(listener: std::net::TcpListener, bootstrap: &str, topic: &str) -> Result<(), Failure> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("acks", "all").set("enable.idempotence", "true");
    config.set("linger.ms", super::LINGER.trim_end_matches("ms"));
    let producer: FutureProducer = config.create()?;
    let topic: Arc<str> = topic.into();
    http1::runtime()?.block_on(http1::serve(listener, move |request| {
        produce(producer.clone(), Arc::clone(&topic), request)
    }))
}

async fn produce(
    producer: FutureProducer,
    topic: Arc<str>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Failure> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let id = head.headers.get("ce-id").ok_or("no id")?.as_bytes();
    let record = FutureRecord::to(&topic).key(id).payload(&*body);
    let written = producer.send(record, Duration::from_secs(1)).await;
    Ok(http1::empty(if written.is_ok() { StatusCode::ACCEPTED } else { StatusCode::SERVICE_UNAVAILABLE }))
}
