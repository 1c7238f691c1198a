//! The floor of a broker over Kafka: the least a program can do that produces what it is posted, consumes it as a member of a
//! group, posts it on and commits.

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
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use tokio::sync::Semaphore;

use crate::around::{Surroundings, broker_document, own};
use crate::cli::Failure;
use crate::http1;
use crate::subject::Subject;

/// Events that are out at once, as with a broker's trigger.
const OUT: usize = 64;

/// The broker with one trigger.
pub fn broker(around: &Surroundings, url: &str) -> Result<Subject, Failure> {
    let kafka = around.broker()?;
    let settings = [
        ("BROKER_CONFIG", broker_document(1, url)),
        ("KAFKA_ADDRESSES", kafka.address()),
        ("KAFKA_TOPIC", kafka.topic()?),
    ];
    let subject = around.adapter("kafka-broker", &settings)?;
    // Before its group has its place it takes nothing.
    subject.until_ready()?;
    Ok(subject)
}

/// This program's own.
pub fn floor(around: &Surroundings, url: &str) -> Result<Subject, Failure> {
    let kafka = around.broker()?;
    own(&["kafka-broker-floor", &kafka.address(), &kafka.topic()?, url])
}

/// Keeps and passes on what arrives at the listener, until the process ends.
pub fn serve(
    listener: std::net::TcpListener,
    bootstrap: &str,
    topic: &str,
    sink: Uri,
) -> Result<(), Failure> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("acks", "all").set("enable.idempotence", "true");
    // As the broker has them: nothing waits, and what comes while a request is out leaves with the next.
    config.set("linger.ms", "0").set("max.in.flight.requests.per.connection", "1");
    let producer: FutureProducer = config.create()?;
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("group.id", format!("floor-of-{topic}"));
    config.set("auto.offset.reset", "earliest").set("enable.auto.offset.store", "false");
    // As often as the broker does.
    config.set("auto.commit.interval.ms", "100");
    let topic: Arc<str> = topic.into();
    http1::runtime()?.block_on(async move {
        let consumer: Arc<StreamConsumer> = Arc::new(config.create()?);
        consumer.subscribe(&[&*topic])?;
        tokio::spawn(pass_on(consumer, Arc::clone(&topic), sink));
        http1::serve(listener, move |request| keep(producer.clone(), Arc::clone(&topic), request)).await
    })
}

async fn keep(
    producer: FutureProducer,
    topic: Arc<str>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Failure> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let mut headers = OwnedHeaders::new();
    for (name, value) in &head.headers {
        if name == CONTENT_TYPE || name.as_str().starts_with("ce-") {
            headers = headers.insert(Header { key: name.as_str(), value: Some(value.as_bytes()) });
        }
    }
    let record = FutureRecord::<[u8], _>::to(&topic).payload(&*body).headers(headers);
    let written = producer.send(record, Duration::from_secs(1)).await;
    Ok(http1::empty(if written.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }))
}

async fn pass_on(consumer: Arc<StreamConsumer>, topic: Arc<str>, sink: Uri) -> Result<(), Failure> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let pool = Client::builder(TokioExecutor::new()).build(connector);
    let free = Arc::new(Semaphore::new(OUT));
    loop {
        let permit = Arc::clone(&free).acquire_owned().await?;
        // While the broker sets its first group up there are failures that pass.
        let Ok(message) = consumer.recv().await else { continue };
        let request = event(&message, &sink)?;
        let place = (message.partition(), message.offset());
        let (pool, consumer, topic) = (pool.clone(), Arc::clone(&consumer), Arc::clone(&topic));
        drop(message);
        tokio::spawn(async move {
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
}

fn event(message: &BorrowedMessage<'_>, sink: &Uri) -> Result<Request<Full<Bytes>>, Failure> {
    let mut request = Request::post(sink.clone());
    for header in message.headers().into_iter().flat_map(Headers::iter) {
        request = request.header(header.key, header.value.unwrap_or_default());
    }
    Ok(request.body(Full::new(Bytes::copy_from_slice(message.payload().unwrap_or_default())))?)
}
